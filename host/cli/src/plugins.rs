//! The recipe's plugins, loaded, each with its configuration checked.

use std::sync::Arc;

use pegbox_data::{CleanStage, Modes, StageIdentity, ValidateStage};
use pegbox_runtime::{
    Exporter, Grants, Kind, LoadOptions, Loss, Metric, Plugin, PluginFolders, PluginIdentity, TrustLevel,
};
use pegbox_train::{LenientMetric, Term, WeightedSum};
use serde_json::{Value, json};

use crate::commands::Guard;
use crate::report::{Excerpt, Report, USAGE};
use crate::session::Session;
use crate::stages::settings;
use pegbox_recipe::{OnFailure, PluginUse, Provider, Recipe};

/// A plugin in its place in a recipe.
#[derive(Clone)]
pub struct Configured {
    pub plugin: Plugin,
    pub config: Value,
    pub on_failure: OnFailure,
}

/// A loss, and its part in the whole.
pub struct LossTerm {
    pub job: Job,
    pub weight: f32,
}

/// Loss or metric: a plugin, or part of Pegbox.
#[derive(Clone)]
pub enum Job {
    Plugin(Configured),
    BuiltIn { name: String, config: Value },
}

/// All plugins of a recipe, in the recipe's order.
pub struct RecipePlugins {
    cleaners: Vec<Configured>,
    validators: Vec<Configured>,
    pub loss: Vec<LossTerm>,
    pub metrics: Vec<Job>,
    pub exporters: Vec<Job>,
}

impl RecipePlugins {
    /// Loads every plugin that the recipe names.
    ///
    /// # Errors
    /// A plugin that is not found, not fit to run, not of the kind that its place needs, or whose
    /// configuration does not fit its JSON Schema. The report shows the place in the recipe.
    pub fn load(session: &Session, recipe: &Recipe) -> Result<Self, Box<Report>> {
        let guard = Guard::of(&recipe.folder)?;
        let folders = session.plugin_folders_and_pins(&recipe.folder, &guard)?;
        let load = |wanted: &PluginUse, kind| load(session, recipe, &folders, &guard, wanted, kind);
        let all = |uses: &mut dyn Iterator<Item = &PluginUse>, kind| -> Result<Vec<_>, Box<Report>> {
            uses.map(|wanted| load(wanted, kind)).collect()
        };
        let job = |provider: &Provider, kind| -> Result<Job, Box<Report>> {
            Ok(match provider {
                Provider::Plugin(wanted) => Job::Plugin(load(wanted, kind)?),
                Provider::BuiltIn { name, config } => {
                    Job::BuiltIn { name: name.clone(), config: config.clone() }
                }
            })
        };
        Ok(Self {
            cleaners: all(&mut recipe.data.clean.iter().map(|entry| &entry.plugin), Kind::Cleaner)?,
            validators: all(&mut recipe.data.validate.iter().map(|entry| &entry.plugin), Kind::Validator)?,
            loss: recipe
                .train
                .loss
                .iter()
                .map(|term| Ok(LossTerm { job: job(&term.provider, Kind::Loss)?, weight: term.weight }))
                .collect::<Result<_, Box<Report>>>()?,
            metrics: recipe
                .metrics
                .iter()
                .map(|metric| job(&metric.provider, Kind::Metric))
                .collect::<Result<_, _>>()?,
            exporters: recipe
                .exports
                .iter()
                .map(|export| job(&export.provider, Kind::Exporter))
                .collect::<Result<_, _>>()?,
        })
    }

    pub fn clean_stages(&self, recipe: &Recipe) -> Vec<CleanStage> {
        let stage = |(cleaner, wanted): (&Configured, &pegbox_recipe::Clean)| {
            let Configured { plugin, config, on_failure } = cleaner.clone();
            let named = &wanted.fields;
            CleanStage {
                identity: StageIdentity::of(plugin.identity(), &config),
                roles: if named.is_empty() {
                    plugin.manifest().records.fields.clone()
                } else {
                    named.clone()
                },
                modes: wanted.modes.clone(),
                make: Arc::new(move |modes| plugin.cleaner(&with_modes(&config, modes))),
                on_failure: settings::on_failure(on_failure),
            }
        };
        self.cleaners.iter().zip(&recipe.data.clean).map(stage).collect()
    }

    pub fn validate_stages(&self, recipe: &Recipe) -> Vec<ValidateStage> {
        let stage = |(validator, wanted): (&Configured, &pegbox_recipe::Validate)| {
            let Configured { plugin, config, on_failure } = validator.clone();
            ValidateStage {
                identity: StageIdentity::of(plugin.identity(), &config),
                roles: plugin.manifest().records.fields.clone(),
                make: Arc::new(move || plugin.validator(&config)),
                on_failure: settings::on_failure(on_failure),
                fail_on: wanted.fail_on.0,
            }
        };
        self.validators.iter().zip(&recipe.data.validate).map(stage).collect()
    }

    pub fn make_loss(&self) -> Result<Box<dyn Loss>, Box<Report>> {
        let make = |job: &Job| -> Result<Box<dyn Loss>, Box<Report>> {
            Ok(match job {
                Job::Plugin(loss) => loss.plugin.loss(&loss.config)?,
                Job::BuiltIn { name, config } => pegbox_train::builtin_loss(name, config)?,
            })
        };
        // One loss at its full weight needs no sum.
        if let [LossTerm { job, weight: 1.0 }] = &self.loss[..] {
            return make(job);
        }
        let terms = self.loss.iter().map(|term| {
            Ok(Term { weight: term.weight, loss: make(&term.job)?, identity: term.job.plugin_identity() })
        });
        Ok(Box::new(WeightedSum::new(terms.collect::<Result<_, Box<Report>>>()?)))
    }

    /// Who computes the loss, for errors.
    pub fn loss_identity(&self) -> Arc<PluginIdentity> {
        match &self.loss[..] {
            [one] => one.job.plugin_identity(),
            _ => pegbox_train::builtin_identity("weighted-sum"),
        }
    }

    /// Plugins of the loss whose failure leaves a batch out.
    pub fn lenient_losses(&self) -> Vec<String> {
        let lenient = |term: &LossTerm| match &term.job {
            Job::Plugin(loss) if loss.on_failure == OnFailure::Skip => {
                Some(loss.plugin.identity().name.clone())
            }
            _ => None,
        };
        self.loss.iter().filter_map(lenient).collect()
    }

    /// Who computes the loss and how: two equal texts do the same.
    pub fn loss_key(&self) -> String {
        let key = |term: &LossTerm| match term.weight {
            1.0 => term.job.identity(),
            weight => format!("{weight} * {}", term.job.identity()),
        };
        self.loss.iter().map(key).collect::<Vec<_>>().join(" + ")
    }

    /// For lines that the user reads.
    pub fn loss_name(&self) -> String {
        let name = |term: &LossTerm| match term.weight {
            1.0 => term.job.name(),
            weight => format!("{weight} * {}", term.job.name()),
        };
        self.loss.iter().map(name).collect::<Vec<_>>().join(" + ")
    }

    pub fn make_metrics(&self) -> Result<Vec<Box<dyn Metric>>, Box<Report>> {
        let make = |job: &Job| -> Result<Box<dyn Metric>, Box<Report>> {
            Ok(match job {
                Job::Plugin(metric) => {
                    let made = metric.plugin.metric(&metric.config)?;
                    match metric.on_failure {
                        OnFailure::Fail => made,
                        OnFailure::Skip => Box::new(LenientMetric::skipping(made)),
                        OnFailure::Disable => Box::new(LenientMetric::giving_up(made)),
                    }
                }
                Job::BuiltIn { name, config } => pegbox_train::builtin_metric(name, config)?,
            })
        };
        self.metrics.iter().map(make).collect()
    }

    /// None for one that is part of Pegbox.
    pub fn make_exporter(&self, index: usize) -> Result<Option<Box<dyn Exporter>>, Box<Report>> {
        match self.exporters.get(index) {
            Some(Job::Plugin(exporter)) => Ok(Some(exporter.plugin.exporter(&exporter.config)?)),
            Some(Job::BuiltIn { .. }) | None => Ok(None),
        }
    }

    /// Makes one instance of each, so that `configure` has its say before the work begins.
    pub fn try_all(&self) -> Result<(), Box<Report>> {
        for cleaner in &self.cleaners {
            cleaner.plugin.cleaner(&cleaner.config)?;
        }
        for validator in &self.validators {
            validator.plugin.validator(&validator.config)?;
        }
        self.make_loss()?;
        self.make_metrics()?;
        for index in 0..self.exporters.len() {
            self.make_exporter(index)?;
        }
        Ok(())
    }

    /// Every plugin, once for each place in which it works.
    pub fn used(&self) -> Vec<&Plugin> {
        self.all().map(|configured| &configured.plugin).collect()
    }

    fn all(&self) -> impl Iterator<Item = &Configured> {
        let of_job = |job: &'_ Job| match job {
            Job::Plugin(_) => true,
            Job::BuiltIn { .. } => false,
        };
        let jobs = self.loss.iter().map(|term| &term.job).chain(&self.metrics).chain(&self.exporters);
        let jobs = jobs.filter(move |job| of_job(job));
        let jobs = jobs.filter_map(|job| match job {
            Job::Plugin(configured) => Some(configured),
            Job::BuiltIn { .. } => None,
        });
        self.cleaners.iter().chain(&self.validators).chain(jobs)
    }
}

impl Job {
    /// Who does the job and how: two equal texts do the same.
    pub fn identity(&self) -> String {
        match self {
            Self::Plugin(configured) => configured.identity(),
            Self::BuiltIn { name, config } => json!({ "builtin": name, "config": config }).to_string(),
        }
    }

    /// For errors.
    fn plugin_identity(&self) -> Arc<PluginIdentity> {
        match self {
            Self::Plugin(configured) => Arc::clone(configured.plugin.identity()),
            Self::BuiltIn { name, .. } => pegbox_train::builtin_identity(name),
        }
    }

    /// For lines that the user reads.
    pub fn name(&self) -> String {
        match self {
            Self::Plugin(configured) => configured.plugin.identity().to_string(),
            Self::BuiltIn { name, .. } => format!("{name} (built in)"),
        }
    }
}

impl Configured {
    pub fn identity(&self) -> String {
        let identity = self.plugin.identity();
        json!({
            "plugin": identity.name,
            "version": identity.version.to_string(),
            "digest": identity.digest,
            "config": self.config,
        })
        .to_string()
    }
}

fn load(
    session: &Session,
    recipe: &Recipe,
    folders: &PluginFolders,
    guard: &Guard,
    wanted: &PluginUse,
    kind: Kind,
) -> Result<Configured, Box<Report>> {
    let in_recipe = |mut report: Box<Report>| {
        let file = recipe.path.display().to_string();
        report.excerpts.push(Excerpt::new(&file, &recipe.text, wanted.span.clone(), None));
        report.exit = USAGE;
        report
    };
    let found = folders.resolve(&wanted.reference).map_err(|error| in_recipe(error.into()))?;
    guard.check(&found.manifest).map_err(in_recipe)?;
    let trust = match &wanted.digest {
        Some(digest) if wanted.native => TrustLevel::Native { digest: digest.clone() },
        _ => TrustLevel::Sandboxed,
    };
    let name = &found.manifest.plugin.name;
    let grants = Grants {
        permissions: recipe.grants.get(name).cloned().unwrap_or_default(),
        root: recipe.folder.clone(),
    };
    let options = LoadOptions { limits: wanted.limits, grants, trust, digest: wanted.digest.clone() };
    let plugin = session.runtime()?.load(&found, &options).map_err(|error| in_recipe(error.into()))?;
    let kinds = &plugin.manifest().plugin.kinds;
    if !kinds.contains(&kind) {
        let is = kinds.iter().map(|kind| format!("{kind:?}").to_lowercase()).collect::<Vec<_>>().join(", ");
        let needed = format!("{kind:?}").to_lowercase();
        return Err(in_recipe(Report::usage(format!(
            "plugin {} is no {needed}; it is: {is}",
            plugin.identity()
        ))));
    }
    plugin.check_configuration(&wanted.config).map_err(|error| in_recipe(error.into()))?;
    Ok(Configured { plugin, config: wanted.config.clone(), on_failure: wanted.on_failure })
}

/// The configuration of a cleaner with the most frequent values that were counted for it; what the recipe says of them
/// itself stays.
fn with_modes(config: &serde_json::Value, modes: &Modes) -> serde_json::Value {
    let mut config = config.clone();
    if let (serde_json::Value::Object(keys), false) = (&mut config, modes.is_empty()) {
        keys.entry("modes").or_insert_with(|| json!(modes));
    }
    config
}
