//! Every crate's errors as reports.

use std::error::Error;

use pegbox_data::DataError;
use pegbox_deploy::ExportError;
use pegbox_generation::chat::ChatError;
use pegbox_generation::{GenerationError, SettingsError};
use pegbox_hub::HubError;
use pegbox_models::ModelError;
use pegbox_models::weights::WeightsError;
use pegbox_registry::RegistryError;
use pegbox_runtime::{LoadError, PluginError};
use pegbox_train::TrainError;
use pegbox_vocabulary::VocabularyError;

use super::{Excerpt, FAILED, Report, USAGE};
use pegbox_recipe::{Fault, RecipeError};

/// Faults of a recipe that are shown in full.
const SHOWN_FAULTS: usize = 5;

impl From<RecipeError> for Box<Report> {
    fn from(error: RecipeError) -> Self {
        match error {
            RecipeError::NotFound { .. } => Report::usage(error.to_string())
                .help("`pegbox init` writes one to begin with; or name the recipe or its folder"),
            RecipeError::Io { .. } => Report::usage(error.to_string()),
            RecipeError::Faults { path, text, faults } => {
                of_faults(&path.display().to_string(), &text, &faults)
            }
        }
    }
}

fn of_faults(file: &str, text: &str, faults: &[Fault]) -> Box<Report> {
    let excerpt = |fault: &Fault| Excerpt::new(file, text, fault.span.clone(), fault.label.clone());
    if let [fault] = faults {
        let mut report = Report::usage(&fault.message);
        report.excerpts.push(excerpt(fault));
        report.help.extend(fault.help.clone());
        return report;
    }
    let mut report = Report::usage(format!("the recipe is wrong in {} places", faults.len()));
    for fault in faults.iter().take(SHOWN_FAULTS) {
        report.excerpts.push(excerpt(fault).titled(&fault.message).with_help(fault.help.clone()));
    }
    if faults.len() > SHOWN_FAULTS {
        report.help.push(format!("mend these first; {} more follow", faults.len() - SHOWN_FAULTS));
    }
    report
}

impl From<PluginError> for Box<Report> {
    fn from(error: PluginError) -> Self {
        let mut report = with_causes(&error, error.help());
        report.records = error.record_ids().iter().map(|id| format!("record {id}")).collect();
        report
    }
}

impl From<RegistryError> for Box<Report> {
    fn from(error: RegistryError) -> Self {
        let help = error.help();
        with_causes(&error, help)
    }
}

impl From<LoadError> for Box<Report> {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Call(error) => error.into(),
            error => {
                let mut report = with_causes(&error, error.help());
                report.exit = USAGE;
                report
            }
        }
    }
}

impl From<DataError> for Box<Report> {
    fn from(error: DataError) -> Self {
        with_causes(&error, error.help()).records(error.record_origins().to_vec())
    }
}

impl From<pegbox_records::sources::SourceError> for Box<Report> {
    fn from(error: pegbox_records::sources::SourceError) -> Self {
        let mut report = with_causes(&error, error.help());
        report.exit = USAGE;
        report
    }
}

impl From<VocabularyError> for Box<Report> {
    fn from(error: VocabularyError) -> Self {
        let exit = match error {
            VocabularyError::Sources(_)
            | VocabularyError::FieldTwice { .. }
            | VocabularyError::Special { .. }
            | VocabularyError::TooSmall { .. }
            | VocabularyError::Foreign { .. } => USAGE,
            _ => FAILED,
        };
        let mut report = with_causes(&error, error.help());
        report.exit = exit;
        report
    }
}

impl From<TrainError> for Box<Report> {
    fn from(error: TrainError) -> Self {
        let records = error.record_ids().iter().map(|id| format!("record {id}")).collect();
        with_causes(&error, error.help()).records(records).safe(error.checkpoint())
    }
}

impl From<ModelError> for Box<Report> {
    fn from(error: ModelError) -> Self {
        with_causes(&error, error.help())
    }
}

impl From<WeightsError> for Box<Report> {
    fn from(error: WeightsError) -> Self {
        ModelError::from(error).into()
    }
}

impl From<HubError> for Box<Report> {
    fn from(error: HubError) -> Self {
        let usage =
            matches!(error, HubError::Source { .. } | HubError::Licence { .. } | HubError::NoFolder { .. });
        let exit = if usage { USAGE } else { FAILED };
        let mut report = with_causes(&error, error.help());
        report.exit = exit;
        report
    }
}

impl From<ExportError> for Box<Report> {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Plugin(error) => error.into(),
            error => with_causes(&error, error.help()),
        }
    }
}

impl From<SettingsError> for Box<Report> {
    fn from(error: SettingsError) -> Self {
        let help = error.help().map(str::to_string);
        let mut report = with_causes(&error, help);
        report.exit = USAGE;
        report
    }
}

impl From<GenerationError<ModelError>> for Box<Report> {
    fn from(error: GenerationError<ModelError>) -> Self {
        match error {
            GenerationError::Settings(error) => error.into(),
            GenerationError::Model(error) => error.into(),
            error => {
                let help = match error {
                    GenerationError::EmptyPrompt { .. } => Some("write at least one word"),
                    GenerationError::TooLong { .. } => {
                        Some("make the prompt shorter, or take a model that sees more tokens")
                    }
                    _ => None,
                };
                with_causes(&error, help.map(str::to_string))
            }
        }
    }
}

impl From<ChatError> for Box<Report> {
    fn from(error: ChatError) -> Self {
        let help = error.help().map(str::to_string);
        with_causes(&error, help)
    }
}

/// The error's line, and its sources' lines as causes, without what an outer line already says.
fn with_causes(error: &dyn Error, help: Option<String>) -> Box<Report> {
    let mut report = Report::new(error.to_string());
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        let said = report.error.contains(&text) || report.causes.iter().any(|cause| cause.contains(&text));
        if !said {
            report.causes.push(text);
        }
        source = cause.source();
    }
    report.help.extend(help);
    report
}
