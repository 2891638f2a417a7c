/// What a tag of an element does to the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Effect {
    /// Nothing: the text goes on.
    Inline,
    /// The text begins a line before and after it.
    Block,
    /// An item of a list: a line that begins with a dash.
    Item,
    /// A line ends.
    Break,
    /// A cell of a table: a space.
    Cell,
    /// What stands in the element is not text.
    Hidden,
    /// Its alternative text stands for it.
    Image,
}

/// An element of HTML, or one that word processors write into it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Element {
    pub effect: Effect,
    /// Its end tag may be missing, or there is none.
    pub stands_alone: bool,
    /// Its place in the list: below 128.
    pub number: usize,
}

/// The longest name: `figcaption` and `blockquote`.
const LONGEST: usize = 10;

/// Names in lower case, sorted; whether the element may stand alone.
const ELEMENTS: [(&str, Effect, bool); 126] = {
    use Effect::*;
    [
        ("a", Inline, false),
        ("abbr", Inline, false),
        ("acronym", Inline, false),
        ("address", Block, false),
        ("area", Inline, true),
        ("article", Block, false),
        ("aside", Block, false),
        ("audio", Inline, false),
        ("b", Inline, false),
        ("base", Inline, true),
        ("basefont", Inline, true),
        ("bdi", Inline, false),
        ("bdo", Inline, false),
        ("big", Inline, false),
        ("blink", Inline, false),
        ("blockquote", Block, false),
        ("body", Block, true),
        ("br", Break, true),
        ("button", Inline, false),
        ("canvas", Inline, false),
        ("caption", Block, true),
        ("center", Block, false),
        ("cite", Inline, false),
        ("code", Inline, false),
        ("col", Inline, true),
        ("colgroup", Inline, true),
        ("data", Inline, false),
        ("datalist", Inline, false),
        ("dd", Block, true),
        ("del", Inline, false),
        ("details", Block, false),
        ("dfn", Inline, false),
        ("dialog", Block, false),
        ("dir", Block, false),
        ("div", Block, false),
        ("dl", Block, false),
        ("dt", Block, true),
        ("em", Inline, false),
        ("embed", Inline, true),
        ("fieldset", Block, false),
        ("figcaption", Block, false),
        ("figure", Block, false),
        ("font", Inline, false),
        ("footer", Block, false),
        ("form", Block, false),
        ("frame", Inline, true),
        ("frameset", Block, false),
        ("h1", Block, false),
        ("h2", Block, false),
        ("h3", Block, false),
        ("h4", Block, false),
        ("h5", Block, false),
        ("h6", Block, false),
        ("head", Block, true),
        ("header", Block, false),
        ("hr", Block, true),
        ("html", Block, true),
        ("i", Inline, false),
        ("iframe", Inline, false),
        ("img", Image, true),
        ("input", Inline, true),
        ("ins", Inline, false),
        ("kbd", Inline, false),
        ("label", Inline, false),
        ("legend", Block, false),
        ("li", Item, true),
        ("link", Inline, true),
        ("main", Block, false),
        ("map", Inline, false),
        ("mark", Inline, false),
        ("marquee", Inline, false),
        ("math", Inline, false),
        ("menu", Block, false),
        ("meta", Inline, true),
        ("meter", Inline, false),
        ("nav", Block, false),
        ("nobr", Inline, false),
        ("noscript", Inline, false),
        ("o:p", Inline, true),
        ("object", Inline, false),
        ("ol", Block, false),
        ("optgroup", Block, true),
        ("option", Block, true),
        ("output", Inline, false),
        ("p", Block, true),
        ("param", Inline, true),
        ("picture", Inline, false),
        ("pre", Block, false),
        ("progress", Inline, false),
        ("q", Inline, false),
        ("rp", Inline, false),
        ("rt", Inline, false),
        ("ruby", Inline, false),
        ("s", Inline, false),
        ("samp", Inline, false),
        ("script", Hidden, false),
        ("section", Block, false),
        ("select", Inline, false),
        ("small", Inline, false),
        ("source", Inline, true),
        ("span", Inline, false),
        ("strike", Inline, false),
        ("strong", Inline, false),
        ("style", Hidden, false),
        ("sub", Inline, false),
        ("summary", Block, false),
        ("sup", Inline, false),
        ("svg", Hidden, false),
        ("table", Block, false),
        ("tbody", Block, true),
        ("td", Cell, true),
        ("template", Hidden, false),
        ("textarea", Inline, false),
        ("tfoot", Block, true),
        ("th", Cell, true),
        ("thead", Block, true),
        ("time", Inline, false),
        ("title", Block, false),
        ("tr", Block, true),
        ("track", Inline, true),
        ("tt", Inline, false),
        ("u", Inline, false),
        ("ul", Block, false),
        ("var", Inline, false),
        ("video", Inline, false),
        ("wbr", Inline, true),
    ]
};

/// The element called `name`, in whatever letter case.
pub(crate) fn element(name: &[u8]) -> Option<Element> {
    let mut small = [0; LONGEST];
    let small = small.get_mut(..name.len())?;
    small.copy_from_slice(name);
    small.make_ascii_lowercase();
    let number = ELEMENTS.binary_search_by(|(name, ..)| name.as_bytes().cmp(small)).ok()?;
    let (_, effect, stands_alone) = ELEMENTS[number];
    Some(Element { effect, stands_alone, number })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found() {
        assert!(ELEMENTS.is_sorted_by(|(name, ..), (next, ..)| name < next));
        for (number, (name, effect, _)) in ELEMENTS.iter().enumerate() {
            let found = element(name.to_uppercase().as_bytes()).unwrap();
            assert_eq!((found.number, found.effect), (number, *effect));
        }
        assert!(ELEMENTS.len() <= 128);
        assert_eq!(ELEMENTS.iter().map(|(name, ..)| name.len()).max(), Some(LONGEST));
    }

    #[test]
    fn other_names_are_not() {
        for name in ["", "string", "t", "br2", "blockquotes", "averyveryverylongname", "é"] {
            assert_eq!(element(name.as_bytes()), None, "{name}");
        }
    }
}
