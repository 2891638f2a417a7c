//! Models that write text, as a user meets them: in a folder, in a GGUF file, as T5; prompts, and conversations.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::fixture::{Project, Seen};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/parity").join(name)
}

fn expected() -> Value {
    serde_json::from_slice(&fs::read(fixture("language/expected.json")).unwrap()).unwrap()
}

/// A project with the fixture's chat model, as a folder `chat` and as a file `chat.gguf`.
fn project() -> Project {
    let project = Project::new();
    copy(&fixture("language/llama"), &project.path("chat"));
    fs::copy(fixture("language/llama.gguf"), project.path("chat.gguf")).unwrap();
    project
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

/// The objects that were written, one a line.
fn objects(seen: Seen) -> Vec<Value> {
    let seen = seen.succeeds();
    seen.results().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn texts_are_gone_on_with_as_transformers_does() {
    let (project, expected) = (project(), expected());
    let texts: Vec<&str> =
        expected["texts"].as_array().unwrap().iter().map(|case| case["text"].as_str().unwrap()).collect();
    for model in ["chat", "chat.gguf"] {
        // Together and one by one: a text's answer does not depend on those beside it.
        for batch in ["8", "1"] {
            let options = ["generate", "--model", model, "--json", "--max-tokens", "40", "--batch", batch];
            let answers = objects(project.pegbox(&[&options[..], &texts[..]].concat()));
            assert_eq!(answers.len(), texts.len());
            for (answer, case) in answers.iter().zip(expected["texts"].as_array().unwrap()) {
                assert_eq!(answer["token-ids"], case["tokens"], "{model}: {}", case["text"]);
                assert_eq!(answer["text"], case["decoded"], "{model}");
                assert_eq!(answer["prompt"], case["text"]);
            }
        }
    }
    // One answer is written as it comes, and its pace told.
    let seen = project.pegbox(&["generate", "--model", "chat", "--max-tokens", "40", texts[0]]).succeeds();
    assert_eq!(seen.results(), format!("{}\n", expected["texts"][0]["decoded"].as_str().unwrap()));
    let tokens = expected["texts"][0]["tokens"].as_array().unwrap().len();
    assert!(seen.messages().contains(&format!("generate: {tokens} tokens, ")), "{}", seen.messages());
    assert!(seen.messages().contains(" tokens/s after "), "{}", seen.messages());
    // The standard input is one prompt.
    let said = project
        .pegbox_told(&format!("{}\n", texts[0]), &["generate", "--model", "chat", "--max-tokens", "40"]);
    assert_eq!(said.succeeds().results(), seen.results());
}

#[test]
fn a_conversation_goes_on_as_in_transformers_and_its_beginning_is_not_read_again() {
    let (project, expected) = (project(), expected());
    let turns = expected["turns"].as_array().unwrap();
    let said: String = turns.iter().map(|turn| format!("{}\n", turn["said"].as_str().unwrap())).collect();
    let system = expected["system"].as_str().unwrap();
    for model in ["chat", "chat.gguf"] {
        let options = ["chat", model, "--json", "--system", system, "--max-tokens", "40"];
        let answers = objects(project.pegbox_told(&said, &options));
        assert_eq!(answers.len(), turns.len());
        for (number, (answer, turn)) in answers.iter().zip(turns).enumerate() {
            assert_eq!(answer["token-ids"], turn["tokens"], "{model}: {}", turn["said"]);
            assert_eq!(answer["text"], turn["decoded"], "{model}");
            assert_eq!(answer["prompt-tokens"], turn["ids"].as_array().unwrap().len());
            assert_eq!(answer["kept-tokens"].as_u64().unwrap() > 0, number > 0, "{answer}");
            let ended = turn["tokens"].as_array().unwrap().len() < 40;
            assert_eq!(answer["finish"], if ended { "end" } else { "length" });
        }
        // Begun anew, the first turn has the first answer again.
        let again = format!("{said}/reset\n{}", turns[0]["said"].as_str().unwrap());
        let answers = objects(project.pegbox_told(&again, &options));
        assert_eq!(answers[turns.len()]["token-ids"], turns[0]["tokens"]);
        // Nothing after /quit is said; a new text of the system is another conversation.
        let told = format!("/system\n{}\n/nothing\n/quit\nmore\n", turns[0]["said"].as_str().unwrap());
        let seen = project.pegbox_told(&told, &options);
        assert!(seen.messages().contains("there is no /nothing"), "{}", seen.messages());
        let answers = objects(seen);
        assert_eq!(answers.len(), 1);
        assert_ne!(answers[0]["prompt-tokens"], turns[0]["ids"].as_array().unwrap().len());
    }
    // As text, an answer a line; and a conversation in a file is the same prompt.
    let seen =
        project.pegbox_told(&said, &["chat", "chat", "--system", system, "--max-tokens", "40"]).succeeds();
    let texts: String = turns.iter().map(|turn| format!("{}\n", turn["decoded"].as_str().unwrap())).collect();
    assert_eq!(seen.results(), texts);
    assert!(seen.messages().contains("chat: 3 answers, "), "{}", seen.messages());
    let messages = json!([
        { "role": "system", "content": system }, { "role": "user", "content": turns[0]["said"] }
    ]);
    project.write("prompts.jsonl", &format!("{}\n\n", json!({ "messages": messages })));
    let options = ["generate", "--model", "chat", "--json", "--max-tokens", "40", "--file", "prompts.jsonl"];
    let answers = objects(project.pegbox(&options));
    assert_eq!((&answers[0]["token-ids"], &answers[0]["prompt"]), (&turns[0]["tokens"], &messages));
}

#[test]
fn how_tokens_are_chosen() {
    let (project, expected) = (project(), expected());
    let case = &expected["texts"][0];
    let (text, decoded) = (case["text"].as_str().unwrap(), case["decoded"].as_str().unwrap());
    let with = |options: &[&str]| {
        let command = ["generate", "--model", "chat", "--json", "--max-tokens", "40"];
        objects(project.pegbox(&[&command[..], options, &[text]].concat()))
    };
    // An answer ends before a stop string, wherever in it that is.
    let letters: Vec<char> = decoded.chars().collect();
    let stop: String = letters[6..8].iter().collect();
    let place = decoded.find(&stop).unwrap();
    let stopped = &with(&["--stop", &stop])[0];
    assert_eq!((&stopped["finish"], &stopped["stop"]), (&json!("stop"), &json!(stop)));
    assert_eq!(stopped["text"].as_str().unwrap(), &decoded[..place]);

    let drawn = |seed: &str| with(&["--temperature", "1.5", "--seed", seed])[0]["token-ids"].clone();
    assert_eq!(drawn("1"), drawn("1"));
    assert_ne!(drawn("1"), drawn("2"));
    assert_eq!(with(&["--temperature", "0"])[0]["token-ids"], case["tokens"]);
    assert_eq!(with(&["--top-k", "1"])[0]["token-ids"], case["tokens"]);
    let several = with(&["--beams", "3", "--answers", "2"]);
    assert_eq!(several.len(), 2);
    assert!(several[0]["score"].as_f64() >= several[1]["score"].as_f64(), "{several:?}");
    // What the folder's file says holds unless the user says otherwise.
    project.write("chat/generation_config.json", r#"{"max_new_tokens": 3, "typical_p": 0.5}"#);
    let seen = project.pegbox(&["generate", "--model", "chat", "--json", text]).succeeds();
    assert!(seen.messages().contains("no effect here: typical_p"), "{}", seen.messages());
    assert_eq!(objects(seen)[0]["tokens"], 3);

    let report = |options: &[&str]| {
        let command = ["generate", "--model", "chat"];
        project.pegbox(&[&command[..], options, &[text]].concat()).report()
    };
    assert!(report(&["--top-p", "2"]).contains("`top_p` is 2; expected a number from 0 to 1"));
    assert!(report(&["--temperature", "0", "--top-p", "0.5"]).contains("takes the likeliest token"));
    assert!(report(&["--answers", "2"]).contains("set do_sample, or num_beams"));
}

#[test]
fn a_text_is_made_of_another_by_t5() {
    let project = Project::new();
    let batch: Value = serde_json::from_slice(&fs::read(fixture("t5/v1.1/batch.json")).unwrap()).unwrap();
    copy(&fixture("t5/v1.1"), &project.path("t5"));
    let words: serde_json::Map<String, Value> = (0..48).map(|id| (format!("w{id}"), json!(id))).collect();
    let tokenizer = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
        "pre_tokenizer": { "type": "WhitespaceSplit" }, "post_processor": null, "decoder": null,
        "model": { "type": "WordLevel", "vocab": words, "unk_token": "w0" },
    });
    project.write("t5/tokenizer.json", &tokenizer.to_string());
    let rows: Vec<Vec<u64>> = serde_json::from_value(batch["ids"].clone()).unwrap();
    let prompts: String = rows
        .iter()
        .map(|row| {
            let words: Vec<String> = row.iter().map(|id| format!("w{id}")).collect();
            format!("{}\n", json!({ "prompt": words.join(" ") }))
        })
        .collect();
    let options = ["generate", "--model", "t5", "--json", "--max-tokens", "200", "--file", "-"];
    let answers = objects(project.pegbox_told(&prompts, &options));
    let greedy: Vec<Vec<u64>> = serde_json::from_value(batch["greedy"].clone()).unwrap();
    assert_eq!(answers.len(), rows.len());
    for (answer, greedy) in answers.iter().zip(&greedy) {
        let ids: Vec<u64> = serde_json::from_value(answer["token-ids"].clone()).unwrap();
        // The fixture went on after the token that ends a text.
        let end = greedy.iter().position(|id| *id == 1).map_or(greedy.len(), |end| end + 1);
        assert_eq!(ids, greedy[..end]);
    }
    project.write("t5/tokenizer_config.json", r#"{"chat_template": "{{ messages[0].content }}"}"#);
    let report = project.pegbox_told("hello\n", &["chat", "t5"]).report();
    assert!(
        report.contains("it does not converse") && report.contains("pegbox generate --model t5"),
        "{report}"
    );
}

#[test]
fn what_cannot_be_talked_with_is_told() {
    let project = project();
    let report = |arguments: &[&str]| project.pegbox_told("hello\n", arguments).report();
    fs::remove_file(project.path("chat/chat_template.jinja")).unwrap();
    insta::assert_snapshot!("a_model_without_a_chat_template", report(&["chat", "chat"]));
    // A template of one's own does.
    project
        .write("mine.jinja", "{% for message in messages %}{{ message.content }}{{ eos_token }}{% endfor %}");
    let seen = project.pegbox_told("hello\n", &["chat", "chat", "--template", "mine.jinja", "--json"]);
    assert_eq!(objects(seen).len(), 1);
    project.write("wrong.jinja", "{% for message in");
    assert!(
        report(&["chat", "chat", "--template", "wrong.jinja"]).contains("the chat template is no template")
    );

    project.write("chat/config.json", r#"{"model_type": "mamba"}"#);
    insta::assert_snapshot!("a_model_of_an_unknown_architecture", report(&["chat", "chat"]));
    assert!(report(&["generate", "--model", "model"]).contains("`bert`, an encoder, which writes no text"));
    let whole = fs::read(project.path("chat.gguf")).unwrap();
    for length in [whole.len() - 100, whole.len() / 2, 40] {
        fs::write(project.path("cut.gguf"), &whole[..length]).unwrap();
        let report = report(&["chat", "cut.gguf"]);
        assert!(report.starts_with("error: cut.gguf: ") && report.contains("cut short"), "{report}");
    }
    assert!(report(&["chat", "nowhere"]).contains("nowhere"));
    assert!(report(&["chat"]).contains("no model is named, and there is no run in ./runs"));
    project.write("lines.jsonl", "{\"prompt\": \"a\"}\n{\"text\": \"a\"}\n");
    let report = report(&["generate", "--model", "chat.gguf", "--file", "lines.jsonl"]);
    assert!(report.contains("lines.jsonl:2: unknown field `text`"), "{report}");
}

/// Conversations of two turns, each with a number of its own.
fn conversations(project: &Project) {
    for (file, numbers) in [("train", 0..24), ("validation", 30..34), ("test", 40..44)] {
        let row = |number: u32| {
            let messages = json!([
                { "role": "user", "content": format!("Where is the river {number}?") },
                { "role": "assistant", "content": "It runs below the house." },
                { "role": "user", "content": "Thank you." },
                { "role": "assistant", "content": "The cloud is grey." },
            ]);
            format!("{}\n", json!({ "messages": messages }))
        };
        project.write(&format!("data/{file}.jsonl"), &numbers.map(row).collect::<String>());
    }
    project.edit("source = \"model\"", "source = \"chat\"\nchat-template = \"model\"");
    project.edit("task = \"classification\"", "task = \"generation\"");
    project.edit("max-length = 32", "max-length = 160");
    project.edit("text = \"text\", label = \"label\"", "messages = \"messages\"");
    project.edit("split = { validation = 0.2, seed = 7 }", "validation = \"data/validation.jsonl\"");
    project.edit("learning-rate = 1e-3", "learning-rate = 1e-2");
    project.edit("epochs = 2", "epochs = 40");
    project.edit("loss = { builtin = \"cross-entropy\" }", "");
}

#[test]
fn conversations_are_learned_by_the_models_template_and_go_on_in_chat() {
    let built = crate::first_party::built();
    let project = project();
    conversations(&project);
    let recipe = fs::read_to_string(project.path("pegbox.toml")).unwrap();
    project.write(
        "pegbox.toml",
        &format!("{recipe}\n[[export]]\nplugin = \"pegbox/hf-folder@^0.1\"\nto = \"out/hf\"\n"),
    );
    let prepared = project.pegbox(&["--plugins", built.to_str().unwrap(), "prepare"]).succeeds();
    assert!(
        prepared.results().contains("24 training, 4 validation and 4 test rows"),
        "{}",
        prepared.results()
    );
    project.pegbox(&["--plugins", built.to_str().unwrap(), "run"]).succeeds();

    // The artifact answers to a text alone and in a conversation, and ends each turn as the template does.
    let config: Value =
        serde_json::from_slice(&fs::read(project.path("out/hf/config.json")).unwrap()).unwrap();
    assert_eq!((&config["eos_token_id"], &config["pegbox"]["chat-template"]), (&json!(2), &json!(true)));
    let template = |path: &str| fs::read_to_string(project.path(path)).unwrap();
    assert_eq!(template("out/hf/chat_template.jinja"), template("chat/chat_template.jinja"));
    for options in [&["predict", "--json"][..], &["predict", "--json", "--model", "out/hf"]] {
        let found = objects(project.pegbox(&[options, &["Where is the river 41?"]].concat()));
        assert_eq!(found[0]["answer"], "It runs below the house.", "{found:?}");
    }
    let said = "Where is the river 42?\nThank you.\n";
    let answers = objects(project.pegbox_told(said, &["chat", "out/hf", "--json"]));
    let texts: Vec<&Value> = answers.iter().map(|answer| &answer["text"]).collect();
    assert_eq!(texts, ["It runs below the house.", "The cloud is grey."]);
    assert_eq!((&answers[0]["finish"], &answers[1]["finish"]), (&json!("end"), &json!("end")));
}

#[test]
fn another_template_is_another_dataset_and_a_conversation_needs_one() {
    let project = project();
    conversations(&project);
    let key = |project: &Project| {
        let seen = project.pegbox(&["prepare"]).succeeds();
        let told = seen.messages();
        told.lines().find(|line| line.contains("the whole report is")).unwrap().to_owned()
    };
    let before = key(&project);
    project.write(
        "mine.jinja",
        "{% for message in messages %}<|im_start|>{{ message.role }}: {{ message.content }}<|im_end|>\
         {% endfor %}{% if add_generation_prompt %}<|im_start|>assistant: {% endif %}",
    );
    project.edit("chat-template = \"model\"", "chat-template = \"mine.jinja\"");
    assert_ne!(key(&project), before);
    project.edit("epochs = 40", "epochs = 1");
    project.pegbox(&["train"]).succeeds();
    let run = fs::read_dir(project.path("runs")).unwrap().next().unwrap().unwrap().path();
    assert_eq!(
        fs::read(run.join("model/chat_template.jinja")).unwrap(),
        fs::read(project.path("mine.jinja")).unwrap()
    );
    project.edit("chat-template = \"mine.jinja\"", "chat-template = \"gone.jinja\"");
    let report = project.pegbox(&["prepare"]).report();
    assert!(report.contains("gone.jinja"), "{report}");
    project.edit("chat-template = \"gone.jinja\"", "");
    let report = project.pegbox(&["prepare"]).report();
    assert!(report.contains("`messages` is a whole conversation, which needs a chat template"), "{report}");
}
