/// What the words before a number say about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Context {
    /// It is a phone number: `call me at 5551234567`.
    Phone,
    /// It is something else: `order no. 555-123-4567`, `version 10.0.0.1`.
    Other,
    /// Nothing.
    Unknown,
}

/// How far back words are looked at.
const REACH: usize = 64;

const PHONE: [&str; 30] = [
    "call",
    "calling",
    "cell",
    "cellphone",
    "contact",
    "dial",
    "fax",
    "fon",
    "handy",
    "hotline",
    "landline",
    "mob",
    "mobil",
    "mobile",
    "móvil",
    "ph",
    "phone",
    "portable",
    "reach",
    "ring",
    "sms",
    "tel",
    "telefon",
    "telefonnummer",
    "telefono",
    "telephone",
    "teléfono",
    "text",
    "tél",
    "whatsapp",
];

const OTHER: [&str; 50] = [
    "account",
    "acct",
    "amount",
    "application",
    "article",
    "balance",
    "booking",
    "build",
    "case",
    "chapter",
    "claim",
    "code",
    "confirmation",
    "contract",
    "customer",
    "ean",
    "figure",
    "firmware",
    "iban",
    "id",
    "imei",
    "invoice",
    "isbn",
    "issn",
    "item",
    "model",
    "order",
    "orders",
    "paragraph",
    "parcel",
    "part",
    "policy",
    "postcode",
    "ref",
    "reference",
    "release",
    "section",
    "serial",
    "shipment",
    "sku",
    "swift",
    "ticket",
    "tracking",
    "transaction",
    "upc",
    "user",
    "v",
    "ver",
    "version",
    "zip",
];

/// Words that may stand between such a word and the number.
const BETWEEN: [&str; 40] = [
    "a", "an", "at", "back", "by", "directly", "for", "her", "him", "his", "i", "in", "is", "it", "its",
    "me", "my", "no", "now", "nr", "num", "number", "numbers", "nummer", "numéro", "número", "of", "on",
    "or", "our", "please", "s", "the", "their", "them", "to", "under", "us", "was", "your",
];

/// Looks back from `start`, over words that say nothing, to the first that may.
pub(crate) fn before(text: &str, start: usize) -> Context {
    let from = text.floor_char_boundary(start.saturating_sub(REACH));
    // A paragraph above says nothing.
    let line = text[from..start].rsplit('\n').next().unwrap_or_default();
    let words = line.rsplit(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    for word in words {
        let word = word.to_lowercase();
        let has = |words: &[&str]| words.binary_search(&word.as_str()).is_ok();
        if has(&PHONE) {
            return Context::Phone;
        }
        if has(&OTHER) {
            return Context::Other;
        }
        if !has(&BETWEEN) {
            break;
        }
    }
    Context::Unknown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_sorted() {
        assert!(PHONE.is_sorted() && OTHER.is_sorted() && BETWEEN.is_sorted());
    }

    #[test]
    fn the_nearest_word_that_says_something_decides() {
        let says = |text: &str| before(text, text.len());
        assert_eq!(says("please call me back on my number: "), Context::Phone);
        assert_eq!(says("Tel.: "), Context::Phone);
        assert_eq!(says("call about order no. #"), Context::Other);
        assert_eq!(says("the phone costs "), Context::Unknown);
        assert_eq!(says("call\n"), Context::Unknown);
        assert_eq!(says("v"), Context::Other);
        assert_eq!(says(""), Context::Unknown);
        assert_eq!(says(&format!("call {}", "é".repeat(100))), Context::Unknown);
    }
}
