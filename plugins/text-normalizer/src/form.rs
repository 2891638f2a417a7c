use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;

use crate::configuration::Form;

static NFC: ComposingNormalizerBorrowed<'static> = ComposingNormalizerBorrowed::new_nfc();
static NFKC: ComposingNormalizerBorrowed<'static> = ComposingNormalizerBorrowed::new_nfkc();

/// `text` in `form`; borrowed where it was so already.
pub(crate) fn normalize(text: &str, form: Form) -> Cow<'_, str> {
    match form {
        Form::Nfc => NFC.normalize(text),
        Form::Nfkc => NFKC.normalize(text),
        Form::None => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_do_what_the_standard_says() {
        assert_eq!(normalize("Ａ①ﬁm²e\u{301}", Form::Nfkc), "A1fim2é");
        assert_eq!(normalize("Ａ①ﬁm²e\u{301}", Form::Nfc), "Ａ①ﬁm²é");
        assert_eq!(normalize("Ａ①ﬁm²e\u{301}", Form::None), "Ａ①ﬁm²e\u{301}");
        assert_eq!(normalize("\u{1100}\u{1161}\u{11a8}", Form::Nfc), "각");
    }

    #[test]
    fn what_is_normal_is_not_copied() {
        assert!(matches!(normalize("déjà vu, 中文, “quoted”", Form::Nfkc), Cow::Borrowed(_)));
    }
}
