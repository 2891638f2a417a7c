//! A report as a large and dirty set of support tickets gives it; some of its texts are hostile.

use pegbox_annotations::adjudicate::Doubtful;
use pegbox_annotations::agreement::{Agreement, Cohen, Estimate, Kappa, Pair};
use pegbox_annotations::reliability::Annotator;
use pegbox_data::{
    AnnotationReport, BalanceReport, BenchmarkLeakage, ChangeExample, ClassCount, CodeCount, ConflictExample,
    ConflictReport, DuplicateExample, DuplicateReport, FileReport, GroupCount, GroupReport, LeakageExample,
    LeakageReport, LengthCandidate, LengthReport, LocatedFinding, PaddingReport, Part, PrepareReport,
    SplitReport, StageReport, SuspectExample, SuspectReport, TruncationReport,
};
use pegbox_plugin_abi::validation::{Fix, Severity};
use pegbox_records::Quarantined;
use pegbox_report::About;

/// It must come out as text.
pub const SCRIPT: &str = "<script>document.title = 'owned'</script>";
/// So must this, which would turn the direction of what follows.
pub const TURNED: &str = "pay \u{202e}0001\u{202c} now";

pub fn about() -> About {
    About {
        recipe: "examples/support-intents/pegbox.toml".into(),
        dataset_key: "3f9a1c20b7d4e85566aa01c2".into(),
        created: "2026-11-28T12:31:07Z".into(),
        version: "0.1.0".into(),
    }
}

/// Every section has something to say.
pub fn full() -> PrepareReport {
    PrepareReport {
        files: vec![
            file("data/tickets-2025.jsonl.zst", Part::Train, 812_404, 31, "jsonl"),
            file("data/tickets-2026.parquet", Part::Train, 187_565, 0, "parquet"),
            file("data/official-test.csv", Part::Test, 3_080, 0, "csv"),
        ],
        quarantined: 31,
        quarantine: vec![
            quarantined(
                "data/tickets-2025.jsonl.zst:88114:17",
                "this is not JSON: expected `,` or `}`",
                "{\"text\": \"wher",
            ),
            quarantined(
                "data/tickets-2025.jsonl.zst:90210",
                "the record has no field `label`; it has text",
                SCRIPT,
            ),
        ],
        stages: stages(),
        annotations: Some(annotations()),
        duplicates: Some(duplicates()),
        findings: findings(),
        conflicts: Some(conflicts()),
        suspects: Some(suspects()),
        split: SplitReport {
            method: "stratified".into(),
            seed: 7,
            units: 41_870,
            left_out: 812,
            straddling: 0,
        },
        leakage: Some(leakage()),
        balance: balance(),
        classes: classes(),
        lengths: lengths(),
        truncation: TruncationReport { rows: 3_402, tokens: 88_120, dropped: 0, split: 0, pieces: 0 },
        rows: [(Part::Train, 489_127), (Part::Validation, 139_911), (Part::Test, 73_046)].into(),
        tokens: [(Part::Train, 9_977_190), (Part::Validation, 2_853_184), (Part::Test, 1_511_022)].into(),
        padding: PaddingReport {
            tokens: 9_977_190,
            fixed: 0.841,
            naive: 0.423,
            grouped: 0.031,
            packed: 0.0004,
            naive_batches: 33_900,
            grouped_batches: 20_111,
            trains_packed: false,
            bins: 77_983,
        },
        seconds: [
            "read",
            "clean",
            "index",
            "annotations",
            "duplicates",
            "validate",
            "labels",
            "split",
            "leakage",
            "tokenize",
        ]
        .into_iter()
        .zip([4.81, 21.2, 0.42, 1.9, 9.33, 3.1, 12.75, 0.004, 1.2, 14.6])
        .map(|(step, seconds)| (step.to_owned(), seconds))
        .collect(),
    }
}

/// What the smallest recipe gives.
#[allow(dead_code)]
pub fn plain() -> PrepareReport {
    let full = full();
    PrepareReport {
        files: vec![file("train.jsonl", Part::Train, 100, 0, "jsonl")],
        classes: vec![ClassCount { label: "yes".into(), train: 70, validation: 20, test: 10 }],
        lengths: full.lengths,
        padding: full.padding,
        split: SplitReport { method: "stratified".into(), ..SplitReport::default() },
        rows: [(Part::Train, 70), (Part::Validation, 20), (Part::Test, 10)].into(),
        tokens: [(Part::Train, 700), (Part::Validation, 200), (Part::Test, 100)].into(),
        ..PrepareReport::default()
    }
}

fn file(name: &str, part: Part, rows: u64, quarantined: u64, format: &str) -> FileReport {
    FileReport { name: name.into(), part, rows, quarantined, format: format.into(), layout: "fields".into() }
}

fn quarantined(origin: &str, reason: &str, raw: &str) -> Quarantined {
    Quarantined { origin: origin.into(), reason: reason.into(), raw: Some(raw.into()) }
}

fn stages() -> Vec<StageReport> {
    let stage =
        |plugin: &str, rows_in, [kept, changed, split]: [u64; 3], dropped: &[(&str, u64)], examples| {
            let gone: u64 = dropped.iter().map(|(_, rows)| rows).sum();
            StageReport {
                plugin: plugin.into(),
                version: "0.1.0".into(),
                rows_in,
                rows_out: rows_in - gone + split,
                kept,
                changed,
                split,
                dropped: dropped.iter().map(|(reason, rows)| ((*reason).to_owned(), *rows)).collect(),
                fields: vec!["text".into(), "label".into()],
                examples,
                disabled: None,
            }
        };
    let long =
        "I have been waiting for the replacement card since the beginning of the month and nobody answers. "
            .repeat(4);
    vec![
        stage(
            "pegbox/encoding-repair",
            1_003_049,
            [941_882, 61_167, 0],
            &[],
            vec![
                changed(
                    "data/tickets-2025.jsonl.zst:17",
                    "Your cafÃ© card wasnâ€™t accepted, why?",
                    "Your café card wasn’t accepted, why?",
                ),
                changed(
                    "data/tickets-2025.jsonl.zst:203",
                    "MÃ¼nchen branch is closed",
                    "München branch is closed",
                ),
                changed(
                    "data/tickets-2025.jsonl.zst:388",
                    &format!("{long}It costs â‚¬5. {long}"),
                    &format!("{long}It costs €5. {long}"),
                ),
            ],
        ),
        stage(
            "pegbox/markup-stripper",
            1_003_049,
            [903_115, 99_934, 0],
            &[],
            vec![
                changed(
                    "data/tickets-2025.jsonl.zst:5",
                    "<p>My card is <b>lost</b>&nbsp;&ndash; please block it</p>",
                    "My card is lost – please block it",
                ),
                changed(
                    "data/tickets-2025.jsonl.zst:61",
                    &format!("Hello {SCRIPT} can you help"),
                    "Hello can you help",
                ),
            ],
        ),
        stage(
            "pegbox/noise-filter",
            1_003_049,
            [979_020, 0, 0],
            &[("gibberish", 9_211), ("repetition", 8_004), ("symbol-ratio", 4_102), ("too-short", 2_712)],
            vec![
                dropped("data/tickets-2025.jsonl.zst:77", "dropped: gibberish", "xqzt kjhq wwwzt pq"),
                dropped(
                    "data/tickets-2026.parquet:9120",
                    "dropped: repetition",
                    "help help help help help help help help",
                ),
            ],
        ),
        stage(
            "pegbox/pii-scrubber",
            979_020,
            [959_800, 19_220, 0],
            &[],
            vec![
                changed(
                    "data/tickets-2026.parquet:42",
                    "Write to anna.smith@example.com or call +44 20 7946 0958.",
                    "Write to [EMAIL] or call [PHONE].",
                ),
                changed("data/tickets-2026.parquet:314", TURNED, "pay 0001 now"),
            ],
        ),
        StageReport {
            disabled: Some("it took more than 5 s for one batch".into()),
            ..stage("acme/lexicon", 0, [0, 0, 0], &[], Vec::new())
        },
    ]
}

fn changed(origin: &str, before: &str, after: &str) -> ChangeExample {
    ChangeExample {
        origin: origin.into(),
        what: "changed".into(),
        before: vec![Some(before.into()), Some("card_arrival".into())],
        after: vec![vec![Some(after.into()), Some("card_arrival".into())]],
    }
}

fn dropped(origin: &str, what: &str, text: &str) -> ChangeExample {
    ChangeExample {
        origin: origin.into(),
        what: what.into(),
        before: vec![Some(text.into())],
        after: Vec::new(),
    }
}

fn estimate(value: f64, half: f64) -> Estimate {
    Estimate { value: Some(value), low: Some(value - half), high: Some(value + half) }
}

fn annotations() -> AnnotationReport {
    let names = ["ann", "bilal", "chen", "dora", "emeka", "fatima", "goran", "hana"];
    let kappa = |value| Kappa {
        unweighted: estimate(value, 0.03),
        linear: Some(estimate(value + 0.04, 0.03)),
        quadratic: Some(estimate(value + 0.09, 0.025)),
    };
    let mut pairs = Vec::new();
    for (place, first) in names.iter().enumerate() {
        for (further, second) in names.iter().enumerate().skip(place + 1) {
            let value = 0.45 + 0.04 * ((place * 3 + further) % 8) as f64;
            pairs.push(Pair {
                first: (*first).into(),
                second: (*second).into(),
                items: 1_200 + 10 * further as u32,
                percent: estimate(value + 0.2, 0.02),
                kappa: kappa(value),
            });
        }
    }
    let said = |values: [&str; 4]| {
        names.iter().zip(values).map(|(name, value)| ((*name).into(), value.into())).collect()
    };
    AnnotationReport {
        aggregate: "dawid-skene".into(),
        items: 978_400,
        ratings: 2_911_230,
        dropped: 0,
        agreement: Agreement {
            items: 978_400,
            compared: 640_221,
            annotators: names.len(),
            ratings: 2_911_230,
            categories: ["-2", "-1", "0", "1", "2"].map(String::from).into(),
            seed: 0,
            resamples: 1000,
            level: 0.95,
            percent: estimate(0.781, 0.008),
            fleiss: estimate(0.602, 0.019),
            alpha_nominal: estimate(0.604, 0.019),
            alpha_ordinal: Some(estimate(0.660, 0.022)),
            alpha_interval: Some(estimate(0.734, 0.018)),
            cohen: Cohen { mean: kappa(0.598), pairs },
        },
        agreement_of_labels: None,
        annotators: names
            .iter()
            .enumerate()
            .map(|(place, name)| Annotator {
                name: (*name).into(),
                items: 310_000 + 9_000 * place as u32,
                compared: 250_000,
                with_majority: Some(0.61 + 0.045 * place as f64),
                kappa: Some(0.41 + 0.04 * place as f64),
                accuracy: Some(0.64 + 0.04 * place as f64),
            })
            .collect(),
        disputed: 121_904,
        ties: 20_337,
        overruled: 4_118,
        examples: vec![
            Doubtful {
                item: "data/tickets-2026.parquet:77121".into(),
                number: 77_121,
                entropy: Some(1.58),
                disagreement: 0.83,
                majority: "card_arrival".into(),
                tied: true,
                likeliest: Some(("card_delivery_estimate".into(), 0.41)),
                said: said(["card_arrival", "lost_or_stolen_card", "card_delivery_estimate", "card_arrival"]),
            },
            Doubtful {
                item: "data/tickets-2026.parquet:77500".into(),
                number: 77_500,
                entropy: Some(0.98),
                disagreement: 0.5,
                majority: "top_up_failed".into(),
                tied: false,
                likeliest: Some(("top_up_reverted".into(), 0.57)),
                said: said(["top_up_failed", "top_up_reverted", "top_up_failed", "pending_top_up"]),
            },
        ],
    }
}

fn duplicates() -> DuplicateReport {
    DuplicateReport {
        rows_in: 978_400,
        threshold: Some(0.8),
        keep: "longest".into(),
        exact_removed: 161_022,
        near_removed: 114_310,
        held_out_kept: 18,
        clusters: 88_341,
        sizes: [
            (2, 51_000),
            (3, 19_480),
            (4, 8_322),
            (5, 4_115),
            (7, 3_004),
            (14, 1_991),
            (33, 402),
            (212, 27),
        ]
        .into(),
        examples: vec![
            DuplicateExample {
                origin: "data/tickets-2025.jsonl.zst:4410".into(),
                text: "how do i activate my new card pls".into(),
                of: "data/tickets-2025.jsonl.zst:391".into(),
                of_text: "How do I activate my new card, please?".into(),
                jaccard: 0.84,
            },
            DuplicateExample {
                origin: "data/tickets-2026.parquet:18".into(),
                text: "Where is my card?".into(),
                of: "data/tickets-2025.jsonl.zst:2".into(),
                of_text: "Where is my card?".into(),
                jaccard: 1.0,
            },
        ],
    }
}

fn findings() -> Vec<CodeCount> {
    let found = |code: &str, level, message: &str, fix: Option<&str>| LocatedFinding {
        plugin: "pegbox/label-guard".into(),
        level,
        record: Some(8_811),
        origin: Some("data/tickets-2025.jsonl.zst:8811".into()),
        field: Some("label".into()),
        code: code.into(),
        message: message.into(),
        proposed_fix: fix.map(|value| Fix { field: "label".into(), value: value.into() }),
    };
    let count = |code: &str, level, count, message: &str, fix: Option<&str>| CodeCount {
        plugin: "pegbox/label-guard".into(),
        code: code.into(),
        level,
        count,
        examples: vec![found(code, level, message, fix)],
    };
    vec![
        count(
            "label-case",
            Severity::Warning,
            412,
            "`Card_Arrival` is `card_arrival` in the schema",
            Some("card_arrival"),
        ),
        count("rare-label", Severity::Info, 3, "`lost_phone` has 6 rows", None),
    ]
}

fn conflicts() -> ConflictReport {
    ConflictReport {
        conflicts: 2_291,
        rows: 6_120,
        minority: 2_504,
        near: true,
        examples: vec![ConflictExample {
            text: "Where is the card that I ordered last week?".into(),
            labels: vec![
                ("card_arrival".into(), 14),
                ("card_delivery_estimate".into(), 3),
                (SCRIPT.into(), 1),
            ],
            origins: vec!["data/tickets-2025.jsonl.zst:12".into(), "data/tickets-2026.parquet:5005".into()],
        }],
    }
}

fn suspects() -> SuspectReport {
    SuspectReport {
        rows: 489_127,
        suspects: 24_018,
        dropped: false,
        accuracy: 0.873,
        examples: vec![
            SuspectExample {
                origin: "data/tickets-2025.jsonl.zst:99".into(),
                text: "My top-up has been pending for two days now".into(),
                label: "card_arrival".into(),
                likely: "pending_top_up".into(),
                given: 0.001,
                probability: 0.981,
            },
            SuspectExample {
                origin: "data/tickets-2026.parquet:1440".into(),
                text: format!("Can you see \u{200b}this{SCRIPT}?"),
                label: "exchange_rate".into(),
                likely: "lost_or_stolen_phone".into(),
                given: 0.004,
                probability: 0.912,
            },
        ],
        confusions: vec![
            ("card_arrival".into(), "card_delivery_estimate".into(), 1_902),
            ("pending_top_up".into(), "top_up_failed".into(), 1_511),
            ("exchange_rate".into(), "card_payment_wrong_exchange_rate".into(), 844),
        ],
    }
}

fn leakage() -> LeakageReport {
    LeakageReport {
        ngram: 8,
        share: 0.5,
        benchmarks: vec![
            BenchmarkLeakage { name: "test part".into(), texts: 73_046, rows: 118 },
            BenchmarkLeakage { name: "benchmarks/banking77-official.jsonl".into(), texts: 3_080, rows: 54 },
        ],
        dropped: true,
        examples: vec![LeakageExample {
            origin: "data/tickets-2025.jsonl.zst:70002".into(),
            text: "I tried to withdraw money at an ATM abroad and it declined my card twice".into(),
            benchmark: "test part".into(),
            share: 0.88,
            longest: 14,
        }],
    }
}

const LABELS: [&str; 18] = [
    "card_arrival",
    "card_delivery_estimate",
    "pending_top_up",
    "top_up_failed",
    "top_up_reverted",
    "exchange_rate",
    "lost_or_stolen_card",
    "lost_or_stolen_phone",
    "activate_my_card",
    "age_limit",
    "atm_support",
    "balance_not_updated",
    "cancel_transfer",
    "card_swallowed",
    "cash_withdrawal_charge",
    "change_pin",
    "compromised_card",
    "country_support",
];

fn classes() -> Vec<ClassCount> {
    (0..)
        .zip(LABELS)
        .map(|(place, label)| {
            let train = 71_000 / (place + 2) + 3_410;
            ClassCount { label: label.into(), train, validation: train * 2 / 7, test: train / 7 }
        })
        .collect()
}

fn balance() -> BalanceReport {
    let group = |name: &str, rows: u64, mean_length, diversity, weight| GroupCount {
        name: name.into(),
        rows,
        mean_length,
        diversity,
        weight,
    };
    BalanceReport {
        ratio: 14.2,
        effective_classes: 11.3,
        method: "weights".into(),
        rows_before: 489_127,
        rows_after: 489_127,
        groups: vec![
            GroupReport {
                field: "label".into(),
                groups: (0..)
                    .zip(classes())
                    .map(|(place, class)| {
                        let place = f64::from(place);
                        group(
                            &class.label,
                            class.train,
                            52.0 + 3.7 * place,
                            0.19 + 0.011 * place,
                            Some(0.31 + 0.14 * place),
                        )
                    })
                    .collect(),
                more: 0,
            },
            GroupReport {
                field: "source".into(),
                groups: vec![
                    group("web form", 301_220, 71.4, 0.22, None),
                    group("chat", 150_903, 38.0, 0.19, None),
                    group("e-mail", 37_004, 211.9, 0.31, None),
                ],
                more: 4,
            },
        ],
    }
}

fn lengths() -> LengthReport {
    let bars =
        [4_100, 61_030, 122_400, 110_870, 77_320, 44_900, 26_010, 15_800, 9_110, 6_010, 4_090, 2_500, 1_700];
    let mut histogram: Vec<(u32, u32, u64)> =
        (0..).zip(bars).map(|(place, rows)| (place * 10, place * 10 + 9, rows)).collect();
    histogram.push((130, 611, 3_287));
    let candidate = |max_length, rows_cut, tokens_cut, padding| LengthCandidate {
        max_length,
        rows_cut,
        tokens_cut,
        padding,
    };
    LengthReport {
        min: 4,
        p50: 24,
        p90: 66,
        p95: 88,
        p99: 127,
        max: 611,
        mean: 31.4,
        histogram,
        candidates: vec![
            candidate(32, 201_233, 4_410_099, 0.214),
            candidate(64, 51_400, 1_502_331, 0.517),
            candidate(128, 3_402, 88_120, 0.749),
            candidate(136, 2_411, 61_004, 0.762),
            candidate(256, 201, 9_008, 0.871),
            candidate(512, 4, 120, 0.936),
        ],
        recommended: Some((
            136,
            "it cuts 0.5% of the rows and 0.4% of the tokens; the next smaller one cuts more".into(),
        )),
        max_length: 128,
    }
}
