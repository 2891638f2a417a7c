//! Conversations, rendered byte for byte; and templates that mean harm.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;

use flate2::read::GzDecoder;
use pegbox_generation::chat::{
    ChatError, ChatTemplate, ChatTemplates, Conversation, Message, SpecialTokens, Value,
};
use serde::Deserialize;

use crate::{fixture, path};

#[derive(Deserialize)]
struct Inputs {
    special: BTreeMap<String, String>,
    conversations: BTreeMap<String, Value>,
    ways: Vec<Value>,
}

#[derive(Deserialize)]
struct Rendered {
    template: String,
    conversation: String,
    way: usize,
    text: Option<String>,
    #[serde(default)]
    answers: Vec<(usize, usize)>,
    #[serde(default)]
    refused: Option<String>,
}

fn conversation(messages: &Value, way: &Value) -> Conversation {
    let mut made = Conversation { messages: messages.clone(), ..Conversation::default() };
    made.variables.push(("date_string".to_owned(), Value::from("28 Nov 2026")));
    for key in way.try_iter().unwrap() {
        let value = way.get_item(&key).unwrap();
        match key.as_str().unwrap() {
            "add_generation_prompt" => made.add_generation_prompt = value.is_true(),
            "continue_final_message" => made.continue_final_message = value.is_true(),
            "tools" => made.tools = value,
            "documents" => made.documents = value,
            name => made.variables.push((name.to_owned(), value)),
        }
    }
    made
}

#[test]
fn conversations_are_rendered_as_transformers_renders_them() {
    let inputs: Inputs = serde_json::from_slice(&fixture("chat/conversations.json")).unwrap();
    let mut rows = String::new();
    GzDecoder::new(fixture("chat/rendered.json.gz").as_slice()).read_to_string(&mut rows).unwrap();
    let rows: Vec<Rendered> = serde_json::from_str(&rows).unwrap();
    assert!(rows.len() > 900);
    let mut templates: BTreeMap<String, ChatTemplate> = BTreeMap::new();
    let (mut wrong, mut texts) = (Vec::new(), 0);
    for row in rows {
        let template = templates.entry(row.template.clone()).or_insert_with(|| {
            let source =
                fs::read_to_string(path("chat/templates").join(&row.template).with_extension("jinja"));
            ChatTemplate::new(&source.unwrap(), inputs.special.clone().into_iter().collect()).unwrap()
        });
        let name = format!("{} over {}, way {}", row.template, row.conversation, row.way);
        let got =
            template.render(&conversation(&inputs.conversations[&row.conversation], &inputs.ways[row.way]));
        match (got, row.text, row.refused) {
            (Ok(got), Some(text), _) => {
                texts += 1;
                let characters = |bytes: usize| got.text.get(..bytes).unwrap().chars().count();
                let answers: Vec<(usize, usize)> =
                    got.answers.iter().map(|span| (characters(span.start), characters(span.end))).collect();
                // The fixture has no spans of what is cut off.
                let is_cut = inputs.ways[row.way].get_attr("continue_final_message").unwrap().is_true();
                if got.text != text || (!is_cut && answers != row.answers) {
                    wrong.push(format!(
                        "{name}\n{}\n{answers:?} {:?}",
                        difference(&got.text, &text),
                        row.answers
                    ));
                }
            }
            (Err(ChatError::Refused(got)), None, Some(expected)) if got == expected => {}
            // What Jinja cannot do need not be impossible here.
            (_, None, None) => {}
            (got, _, refused) => {
                wrong.push(format!("{name}: {:?} for {refused:?}", got.map_err(|error| error.to_string())))
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {texts}:\n{}", wrong.len(), wrong[..wrong.len().min(6)].join("\n\n"));
    assert!(texts > 800);
}

/// The lines from which on they differ.
fn difference(got: &str, expected: &str) -> String {
    let equal = got.lines().zip(expected.lines()).take_while(|(one, other)| one == other).count();
    let from = |text: &str| text.lines().skip(equal).take(3).collect::<Vec<_>>().join("\n");
    format!("got      {:?}\nexpected {:?}", from(got), from(expected))
}

fn render(source: &str) -> Result<String, ChatError> {
    let hello = [Message { role: "user".to_owned(), content: "Hello!".to_owned() }];
    let template = ChatTemplate::new(source, SpecialTokens::default())?;
    template.render(&Conversation::prompt(&hello)).map(|rendered| rendered.text)
}

#[test]
fn a_template_cannot_take_time_or_memory_without_end() {
    let doubled =
        "{% set ns = namespace(x='ab') %}{% for _ in range(60) %}{% set ns.x = ns.x + ns.x %}{% endfor %}";
    let nested =
        "{% set ns = namespace(x=[1]) %}{% for _ in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}";
    for source in [
        "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}".to_owned(),
        "{% for a in range(99999) %}{{ 'x' * 9999 }}{% endfor %}".to_owned(),
        "{{ 'x' * 999999999999 }}".to_owned(),
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}".to_owned(),
        format!("{doubled}{{{{ ns.x }}}}"),
        format!("{nested}{{{{ ns.x | tojson }}}}"),
        format!("{nested}{{{{ ns.x }}}}"),
        "{{ '%1000000000d' | format(1) }}".to_owned(),
        "{{ messages[0].content | indent(999999999) }}".to_owned(),
        "{{ messages | tojson(indent=99999999) }}".to_owned(),
        format!("{{{{ (1{}", "+ (1".repeat(5000)),
    ] {
        let error = render(&source).expect_err(&source);
        assert!(!matches!(error, ChatError::Refused(_)), "{source}: {error}");
    }
    assert!(matches!(render(&"x".repeat(2 << 20)), Err(ChatError::TooLong { .. })));
}

#[test]
fn errors_say_where() {
    for (source, what) in [
        ("{% if %}", "the chat template is no template, line 1: "),
        ("\n{{ messages.nothing.at_all }}", "the chat template failed at line 2: "),
        (
            "{{ raise_exception('no ' ~ messages[0].role) }}",
            "the chat template refuses the conversation: no user",
        ),
        ("{% include 'other' %}", "the chat template"),
        ("{{ strftime_now('%') }}", "the chat template failed at line 1: "),
    ] {
        let error = render(source).unwrap_err().to_string();
        assert!(error.starts_with(what), "{error}");
    }
    let year = render("{{ strftime_now('%Y-%m-%d') }}").unwrap();
    assert!(year.len() == 10 && year.starts_with("20"), "{year}");
}

#[test]
fn templates_are_found_where_tokenizers_keep_them() {
    let hello = Conversation::of(&[Message { role: "user".to_owned(), content: "Hi".to_owned() }]);
    let text = |config: &str, jinja: Option<&str>, conversation: &Conversation| {
        let templates = ChatTemplates::from_files(Some(config.as_bytes()), jinja)?;
        templates.render(conversation).map(|rendered| rendered.text)
    };
    let one = r#"{"bos_token": {"content": "<s>", "lstrip": false}, "eos_token": null, "chat_template": "{{ bos_token }}one{{ eos_token }}"}"#;
    assert_eq!(text(one, None, &hello).unwrap(), "<s>one");
    assert_eq!(text(one, Some("{{ bos_token }}file"), &hello).unwrap(), "<s>file");
    let two = r#"{"chat_template": [{"name": "default", "template": "plain"}, {"name": "tool_use", "template": "tools"}]}"#;
    assert_eq!(text(two, None, &hello).unwrap(), "plain");
    let with_tools = Conversation { tools: serde_json::from_str("[{}]").unwrap(), ..hello.clone() };
    assert_eq!(text(two, None, &with_tools).unwrap(), "tools");
    assert!(matches!(text("{}", None, &hello), Err(ChatError::NoTemplate)));
    assert!(matches!(text("[", None, &hello), Err(ChatError::Json { .. })));
}
