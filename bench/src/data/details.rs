//! What customers add: when, where, how much, who they are; and in some texts, personal data.

use pegbox_random::SplitMix64;

use super::names::{DAYS, FIRST, LAST, MERCHANTS, MONTHS, PLACES};
use super::personal;
use super::random::{digits, pick};
use super::text::{Piece, PiiKind, Text};

/// Fixed words are few, what varies is much: two details of one form share little.
const FORMS: [&str; 24] = [
    "It was {amount} at {merchant}.",
    "I paid {amount} on {date}.",
    "Regards, {name}",
    "{name}, {place}",
    "It happened in {place} on {date}.",
    "{merchant} in {place} says so too.",
    "My booking is {code}.",
    "Order no. {order}, {date}.",
    "Version {version}, since {weekday}.",
    "{amount} is missing.",
    "We’re in {place} until {weekday}.",
    "The ticket is {ticket}.",
    "{name} told me at {time}.",
    "“{merchant}” charged {amount}!",
    "It’s been so since {date}.",
    "From {place} to {place}, {time}.",
    "{weekday} at {time}, {place}.",
    "Thanks, {name}",
    "Invoice {order}: {amount}.",
    "I’m {name} from {place}.",
    "Parcel {parcel}.",
    "It said {percent}% – why?",
    "Around {time} in {place}.",
    "{merchant}, {amount}, {date}.",
];

/// For each kind of personal data.
fn forms_with(kind: PiiKind) -> &'static [&'static str] {
    match kind {
        PiiKind::Email => &[
            "You can write to me at {pii}.",
            "My email is {pii}",
            "Please reply to {pii}, thanks.",
            "I registered with {pii}.",
            "Contact: {pii}",
        ],
        PiiKind::Phone => &[
            "Call me on {pii} after six.",
            "My phone number is {pii}.",
            "You can reach me on {pii}",
            "Tel. {pii}",
            "Please ring {pii}, it is urgent.",
            "The code was sent by text to {pii}.",
        ],
        PiiKind::Card => &[
            "The card number is {pii}.",
            "I used card {pii} for this.",
            "It was charged to {pii}.",
            "My old card {pii} has expired.",
        ],
        PiiKind::Iban => &[
            "Please refund to {pii}.",
            "My IBAN is {pii}.",
            "I sent it to {pii} last week.",
            "The account is {pii}",
        ],
        PiiKind::Ip => &[
            "The login came from {pii}.",
            "Your app shows the IP address {pii}.",
            "I do not know the device at {pii}.",
        ],
    }
}

/// Without personal data.
pub fn plain(random: &mut SplitMix64) -> Text {
    filled(pick(&FORMS, random), None, random)
}

pub fn with_pii(random: &mut SplitMix64) -> Text {
    // Emails and phones are the commonest, as in any mailbox.
    const SHARES: [PiiKind; 10] = [
        PiiKind::Email,
        PiiKind::Email,
        PiiKind::Email,
        PiiKind::Phone,
        PiiKind::Phone,
        PiiKind::Phone,
        PiiKind::Card,
        PiiKind::Iban,
        PiiKind::Iban,
        PiiKind::Ip,
    ];
    let kind = pick(&SHARES, random);
    filled(pick(forms_with(kind), random), Some(kind), random)
}

/// The same text with the data of somebody else.
pub fn of_somebody_else(text: &Text, random: &mut SplitMix64) -> Text {
    let mut other = text.clone();
    for piece in &mut other.0 {
        if let Piece::Pii { kind, value, .. } = piece {
            *value = personal::value(*kind, random);
        }
    }
    other
}

fn filled(form: &str, pii: Option<PiiKind>, random: &mut SplitMix64) -> Text {
    let mut text = Text::default();
    for word in form.split(' ') {
        match (word.split_once("{pii}"), pii) {
            (Some((_, after)), Some(kind)) => {
                let value = personal::value(kind, random);
                text.0.push(Piece::Pii { kind, value, after: after.to_owned() });
            }
            _ => text.push(Text::of_words(&slots(word, random))),
        }
    }
    text
}

fn slots(word: &str, random: &mut SplitMix64) -> String {
    let Some((before, rest)) = word.split_once('{') else { return word.to_owned() };
    let Some((slot, after)) = rest.split_once('}') else { return word.to_owned() };
    format!("{before}{}{}", slot_value(slot, random), slots(after, random))
}

fn slot_value(slot: &str, random: &mut SplitMix64) -> String {
    match slot {
        "amount" => amount(random),
        "merchant" => pick(&MERCHANTS, random).to_owned(),
        "place" => pick(&PLACES, random).to_owned(),
        "name" => format!("{} {}", pick(&FIRST, random), pick(&LAST, random)),
        "date" => date(random),
        "weekday" => pick(&DAYS, random).to_owned(),
        "time" => format!("{}:{:02}", random.below(24), random.below(60)),
        "percent" => format!("{}.{}", random.below(30), random.below(10)),
        "version" => format!("{}.{}.{}", random.below(9) + 1, random.below(30), random.below(50)),
        "code" => {
            const SIGNS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
            (0..6).map(|_| char::from(pick(SIGNS, random))).collect()
        }
        "order" => format!("{}-{}", digits(4, random), digits(5, random)),
        "ticket" => format!("#{}", random.below(900_000) + 100_000),
        // As postal services number them: as long as a card or longer, and none.
        "parcel" => format!("JJD{}", digits(18, random)),
        _ => String::new(),
    }
}

fn amount(random: &mut SplitMix64) -> String {
    let (whole, cents) = (random.below(3000) + 1, random.below(100));
    match random.below(4) {
        0 => format!("£{whole}.{cents:02}"),
        1 => format!("{whole},{cents:02} €"),
        2 => format!("${whole}"),
        _ => format!("{whole}.{cents:02} EUR"),
    }
}

fn date(random: &mut SplitMix64) -> String {
    let (day, month, year) = (random.below(28) + 1, random.below(12), random.below(5) + 2019);
    match random.below(3) {
        0 => format!("{day} {} {year}", MONTHS[month]),
        1 => format!("{year}-{:02}-{day:02}", month + 1),
        _ => format!("{} {day}", MONTHS[month]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slot_is_filled() {
        let mut random = SplitMix64::new(3);
        for form in FORMS {
            let text = filled(form, None, &mut random);
            let written = text.written().join(" ");
            assert!(!written.contains(['{', '}']) && !written.contains("  "), "{form}: {written}");
            assert_eq!(text.pii().count(), 0);
        }
        for kind in PiiKind::ALL {
            for form in forms_with(kind) {
                let text = filled(form, Some(kind), &mut random);
                assert_eq!(text.pii().map(|(kind, _)| kind).collect::<Vec<_>>(), [kind], "{form}");
                assert!(text.clean().contains(kind.placeholder()));
                let other = of_somebody_else(&text, &mut random);
                assert_eq!(other.clean(), text.clean());
                assert_ne!(other, text);
            }
        }
    }
}
