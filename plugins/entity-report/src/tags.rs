//! Tags, and the entities that they make.

/// A class as a tag.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tag {
    Outside,
    /// With the number of its type.
    Begin(u32),
    Inside(u32),
}

/// What the classes mean.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tags {
    /// Index = class id.
    tags: Vec<Tag>,
    /// In the order in which classes name them first.
    types: Vec<String>,
}

/// Words of a type: the numbers of the first, and of the one behind the last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Entity {
    pub first: u32,
    pub end: u32,
    pub kind: u32,
}

impl Tags {
    /// `B-person` and `I-person` begin and go on with a person; `O` is outside. A class without a dash is inside an
    /// entity of that type.
    pub fn new(classes: &[String]) -> Self {
        let mut all = Self::default();
        for class in classes {
            let tag = match class.split_once('-') {
                _ if class == "O" => Tag::Outside,
                Some(("B", kind)) => Tag::Begin(all.number(kind)),
                Some(("I", kind)) => Tag::Inside(all.number(kind)),
                _ => Tag::Inside(all.number(class)),
            };
            all.tags.push(tag);
        }
        all
    }

    pub fn types(&self) -> &[String] {
        &self.types
    }

    /// None for a class that there is not.
    pub fn get(&self, class: i64) -> Option<Tag> {
        self.tags.get(usize::try_from(class).ok()?).copied()
    }

    fn number(&mut self, kind: &str) -> u32 {
        let known = self.types.iter().position(|known| known == kind);
        known.unwrap_or_else(|| {
            self.types.push(kind.to_owned());
            self.types.len() - 1
        }) as u32
    }
}

/// The entities of one text, in order. `strict`: one begins with `B-` only; otherwise also with an `I-` that does not
/// go on with one of its type.
pub fn entities(tags: &[Tag], strict: bool) -> Vec<Entity> {
    let mut found: Vec<Entity> = Vec::new();
    for (place, tag) in (0..).zip(tags) {
        let (begins, kind) = match tag {
            Tag::Outside => continue,
            Tag::Begin(kind) => (true, *kind),
            Tag::Inside(kind) => (false, *kind),
        };
        match found.last_mut() {
            Some(last) if !begins && last.end == place && last.kind == kind => last.end = place + 1,
            _ if begins || !strict => found.push(Entity { first: place, end: place + 1, kind }),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(tags: &[&str], strict: bool) -> Vec<(u32, u32, String)> {
        let classes = ["B-PER", "I-PER", "B-LOC", "I-LOC", "O", "MISC"].map(String::from);
        let all = Tags::new(&classes);
        let tags: Vec<Tag> = tags
            .iter()
            .map(|tag| all.get(classes.iter().position(|class| class == tag).unwrap() as i64).unwrap())
            .collect();
        let named = |entity: Entity| (entity.first, entity.end, all.types()[entity.kind as usize].clone());
        entities(&tags, strict).into_iter().map(named).collect()
    }

    #[test]
    fn entities_begin_with_b_or_with_another_type() {
        let tags = ["B-PER", "I-PER", "B-PER", "I-LOC", "O", "I-LOC", "I-LOC", "MISC"];
        let person = |first, end| (first, end, "PER".to_owned());
        let place = |first, end| (first, end, "LOC".to_owned());
        assert_eq!(
            found(&tags, false),
            [person(0, 2), person(2, 3), place(3, 4), place(5, 7), (7, 8, "MISC".to_owned())]
        );
        assert_eq!(found(&tags, true), [person(0, 2), person(2, 3)]);
    }

    #[test]
    fn classes_that_there_are_not() {
        let tags = Tags::new(&["O".to_owned()]);
        assert_eq!((tags.get(0), tags.get(1), tags.get(-1)), (Some(Tag::Outside), None, None));
    }
}
