//! What a recipe says, in the words of the crates that do it.

use pegbox_recipe::{OnFailure, Recipe};

/// How the model pools.
pub fn pooling(recipe: &Recipe) -> pegbox_models::Pooling {
    match recipe.model.pooling {
        pegbox_recipe::Pooling::Cls => pegbox_models::Pooling::Cls,
        pegbox_recipe::Pooling::Mean => pegbox_models::Pooling::Mean,
        pegbox_recipe::Pooling::MeanLayer => pegbox_models::Pooling::MeanLayer,
    }
}

/// What the preparation does with long texts.
pub fn over_long(recipe: &Recipe) -> pegbox_data::OverLong {
    match recipe.data.over_long {
        pegbox_recipe::OverLong::Truncate => pegbox_data::OverLong::Truncate,
        pegbox_recipe::OverLong::Drop => pegbox_data::OverLong::Drop,
        pegbox_recipe::OverLong::Fail => pegbox_data::OverLong::Fail,
    }
}

/// What a failed call means for the preparation.
pub fn on_failure(policy: OnFailure) -> pegbox_data::OnFailure {
    match policy {
        OnFailure::Fail => pegbox_data::OnFailure::Fail,
        OnFailure::Skip => pegbox_data::OnFailure::Skip,
        OnFailure::Disable => pegbox_data::OnFailure::Disable,
    }
}
