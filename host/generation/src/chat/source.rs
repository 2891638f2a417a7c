//! Where a tokenizer keeps its template: in tokenizer_config.json, one or several by name; in chat_template.jinja
//! beside it, which comes first; or in a GGUF file's metadata.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::conversation::Conversation;
use super::error::ChatError;
use super::template::{ChatTemplate, Rendered};

/// The special tokens that templates know by name, such as `bos_token`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SpecialTokens(BTreeMap<String, String>);

/// The names of Transformers' `special_tokens_map`.
const NAMES: [&str; 7] =
    ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

impl SpecialTokens {
    /// Those of a tokenizer_config.json.
    fn of(config: &BTreeMap<String, Json>) -> Self {
        let token = |name: &&str| {
            let value = config.get(*name)?;
            let text = value.as_str().or_else(|| value.get("content")?.as_str())?;
            Some(((*name).to_owned(), text.to_owned()))
        };
        Self(NAMES.iter().filter_map(token).collect())
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, token)| (name.as_str(), token.as_str()))
    }
}

impl<N: Into<String>, T: Into<String>> FromIterator<(N, T)> for SpecialTokens {
    fn from_iter<I: IntoIterator<Item = (N, T)>>(tokens: I) -> Self {
        Self(tokens.into_iter().map(|(name, token)| (name.into(), token.into())).collect())
    }
}

/// The source of the template that training data is rendered with, and what it may name; nothing else decides what a
/// conversation becomes, but the template engine.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TemplateSource {
    pub template: String,
    pub special_tokens: SpecialTokens,
}

impl TemplateSource {
    /// From the same files as [`ChatTemplates::from_files`]: the template for conversations without tools.
    ///
    /// # Errors
    /// There is no template in them.
    pub fn from_files(config: Option<&[u8]>, jinja: Option<&str>) -> Result<Self, ChatError> {
        Ok(found(config, jinja)?.0)
    }

    /// The template, ready to render.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(&self) -> Result<ChatTemplate, ChatError> {
        ChatTemplate::new(&self.template, self.special_tokens.clone())
    }
}

/// What the files hold: the template for most conversations, and maybe another for those with tools.
fn found(config: Option<&[u8]>, jinja: Option<&str>) -> Result<(TemplateSource, Option<String>), ChatError> {
    let file = || "tokenizer_config.json".to_owned();
    let json = |source| ChatError::Json { file: file(), source };
    let mut config: BTreeMap<String, Json> =
        config.map_or(Ok(BTreeMap::new()), serde_json::from_slice).map_err(json)?;
    let special_tokens = SpecialTokens::of(&config);
    if let Some(jinja) = jinja {
        return Ok((TemplateSource { template: jinja.to_owned(), special_tokens }, None));
    }
    let template = config.remove("chat_template").filter(|template| !template.is_null());
    let (template, with_tools) = match serde_json::from_value(template.ok_or(ChatError::NoTemplate)?)
        .map_err(json)?
    {
        Source::One(source) => (source, None),
        Source::Several(named) => {
            let find = |name: &str| named.iter().find(|one| one.name == name).map(|one| one.template.clone());
            let default = find("default").or(named.first().map(|one| one.template.clone()));
            (default.ok_or(ChatError::NoTemplate)?, find("tool_use"))
        }
    };
    Ok((TemplateSource { template, special_tokens }, with_tools))
}

/// A tokenizer's chat templates: one, and maybe another for conversations with tools.
pub struct ChatTemplates {
    default: ChatTemplate,
    with_tools: Option<ChatTemplate>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Source {
    One(String),
    Several(Vec<Named>),
}

#[derive(Deserialize)]
struct Named {
    name: String,
    template: String,
}

impl ChatTemplates {
    /// From the bytes of a tokenizer_config.json, and of a chat_template.jinja beside it where there is one.
    ///
    /// # Errors
    /// There is no template in them, or one that cannot be read.
    pub fn from_files(config: Option<&[u8]>, jinja: Option<&str>) -> Result<Self, ChatError> {
        let (source, with_tools) = found(config, jinja)?;
        let special = || source.special_tokens.clone();
        let with_tools = with_tools.map(|template| ChatTemplate::new(&template, special())).transpose()?;
        Ok(Self { default: source.read()?, with_tools })
    }

    /// One template for everything; the special tokens are those that it may name.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn single(source: &str, special_tokens: SpecialTokens) -> Result<Self, ChatError> {
        Ok(Self { default: ChatTemplate::new(source, special_tokens)?, with_tools: None })
    }

    /// The template for a conversation, by whether it has tools.
    pub fn template(&self, conversation: &Conversation) -> &ChatTemplate {
        let has_tools = conversation.tools.is_true();
        self.with_tools.as_ref().filter(|_| has_tools).unwrap_or(&self.default)
    }

    /// The conversation as text.
    ///
    /// # Errors
    /// Those of [`ChatTemplate::render`].
    pub fn render(&self, conversation: &Conversation) -> Result<Rendered, ChatError> {
        self.template(conversation).render(conversation)
    }
}
