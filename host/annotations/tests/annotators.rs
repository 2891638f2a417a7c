//! Reliability and adjudication, with an annotator who guesses.

use pegbox_annotations::RatingsBuilder;
use pegbox_annotations::adjudicate::adjudicate;
use pegbox_annotations::aggregate::{DawidSkeneSettings, dawid_skene, majority};
use pegbox_annotations::agreement::{AgreementSettings, agreement};
use pegbox_annotations::reliability::reliability;
use pegbox_random::SplitMix64;

#[test]
fn who_guesses_comes_first_and_doubtful_items_too() {
    let mut random = SplitMix64::new(11);
    let mut builder = RatingsBuilder::new();
    let mut truths = Vec::new();
    for item in 0..300 {
        let truth = random.below(3);
        truths.push(truth as u32);
        for (annotator, errors) in [("anna", 5), ("bert", 10), ("cleo", 15), ("guesser", 95), ("dora", 10)] {
            let said = if random.below(100) < errors { random.below(3) } else { truth };
            if random.below(10) > 0 {
                builder.add(&item.to_string(), annotator, ["no", "perhaps", "yes"][said]).unwrap();
            }
        }
    }
    let ratings = builder.build();
    let settings = AgreementSettings { resamples: 50, ..AgreementSettings::default() };
    let agreement = agreement(&ratings, &settings).unwrap();
    let model = dawid_skene(&ratings, &DawidSkeneSettings::default()).unwrap();
    assert!(model.converged);

    let annotators = reliability(&ratings, &agreement, Some(&model));
    assert_eq!(annotators.len(), 5);
    assert_eq!(annotators[0].name, "guesser");
    assert!(annotators[0].accuracy.unwrap() < 0.5 && annotators[1].accuracy.unwrap() > 0.8);
    assert!(annotators[0].kappa.unwrap() < 0.2 && annotators[1].kappa.unwrap() > 0.4);
    assert!(annotators[0].with_majority.unwrap() < 0.5 && annotators[4].with_majority.unwrap() > 0.9);

    let right = |labels: Vec<Option<u32>>| {
        labels.iter().zip(&truths).filter(|(label, truth)| **label == Some(**truth)).count()
    };
    let by_votes = right(majority(&ratings).iter().map(|majority| majority.category).collect());
    let by_model = right((0..300).map(|item| Some(model.label(item).0)).collect());
    assert!(by_model > 285 && by_votes > 285, "{by_model} by the model, {by_votes} by votes");

    let list = adjudicate(&ratings, Some(&model), 20);
    assert_eq!(list.list.len(), 20);
    assert!(list.items > 150 && list.ties > 0);
    assert!(list.list.is_sorted_by(|a, b| a.entropy >= b.entropy));
    let first = &list.list[0];
    assert!(first.disagreement > 0.0 && first.said.len() > 1);
    assert_eq!(ratings.items()[first.number as usize], first.item);
    // What the report takes.
    let text = serde_json::to_string(&(&list, &annotators, &agreement)).unwrap();
    assert!(text.contains("\"guesser\""));
}

#[test]
fn the_model_outvotes_a_careless_majority() {
    let mut random = SplitMix64::new(12);
    let mut builder = RatingsBuilder::new();
    let mut truths = Vec::new();
    for item in 0..500 {
        let truth = random.below(3);
        truths.push(Some(truth as u32));
        for (annotator, errors) in
            [("good", 10), ("fair", 20), ("careless", 80), ("worse", 85), ("worst", 90)]
        {
            let said = if random.below(100) < errors { random.below(3) } else { truth };
            builder.add(&item.to_string(), annotator, ["no", "perhaps", "yes"][said]).unwrap();
        }
    }
    let ratings = builder.build();
    let model = dawid_skene(&ratings, &DawidSkeneSettings::default()).unwrap();
    let by_votes = majority(&ratings).iter().zip(&truths).filter(|(m, truth)| m.category == **truth).count();
    let by_model = (0..500).filter(|&item| Some(model.label(item).0) == truths[item]).count();
    assert!(by_model > by_votes + 25, "{by_model} by the model, {by_votes} by votes");
}
