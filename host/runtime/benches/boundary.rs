//! What the boundary costs: calls into plugins, panels, boosting through the capability, sandboxed against native,
//! epochs, pooling. Results with machine and date stand in `docs/performance.md`.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use lightgbm3::{Booster, Dataset};
use retailcast_core::frame::{CONTRACT_FRAME, Exogenous, training_frame};
use retailcast_core::{Day, MissingDays, Observation, Series};
use retailcast_runtime::embedding::Purpose;
use retailcast_runtime::{
    Call, Catalogue, CatalogueSettings, EmbeddingProvider, Engine, EngineSettings, FeatureTable,
    ForecastModel, FutureSet, GrantedFolder, Plugin, PluginSettings, State, TrainingSet, open,
};

const DAYS: usize = 730;
const HORIZON: usize = 28;

fn catalogue(engine: EngineSettings) -> Catalogue {
    load(&Engine::new(engine).unwrap(), None)
}

/// All first-party plugins as the program's own configuration has them, compiled anew or from this folder.
fn load(engine: &Engine, cache: Option<&Path>) -> Catalogue {
    let lightgbm = PluginSettings { gradient_boosting: true, ..PluginSettings::default() };
    let asking = PluginSettings {
        http: vec!["https://api.example.com".parse().unwrap()],
        ..PluginSettings::default()
    };
    let off = PluginSettings { enabled: false, ..PluginSettings::default() };
    let plugins = [
        ("lightgbm", lightgbm),
        ("embed_openai", asking.clone()),
        ("embed_ollama", asking),
        ("embed_minilm", off),
    ];
    let settings = CatalogueSettings {
        plugins: plugins.map(|(name, settings)| (name.to_owned(), settings)).into(),
        cache: cache.map(Path::to_owned),
        ..CatalogueSettings::default()
    };
    let plugins = retailcast_bundled::PLUGINS.iter().map(|p| (p.name, p.component));
    let catalogue = Catalogue::load(engine.clone(), settings, plugins).unwrap();
    assert!(!catalogue.entries().iter().any(|entry| matches!(entry.state, State::Refused(_))));
    catalogue
}

/// Deterministic retail-like counts: a weekly profile, a trend and some noise.
fn quantity(i: usize) -> f64 {
    let noise = (i.wrapping_mul(2_654_435_761) >> 7) % 9;
    (20 + 6 * (i % 7) + i / 90 + noise) as f64
}

fn series(days: usize) -> Series {
    let rows: Vec<Observation> = (0..days)
        .map(|i| Observation {
            day: Day(18_000 + i as i32),
            quantity: quantity(i),
            unit_price: if i % 30 < 3 { 8.0 } else { 10.0 },
        })
        .collect();
    Series::build(&rows, Day(18_000 + days as i32 - 1), MissingDays::Zero).unwrap()
}

fn one() -> Arc<TrainingSet> {
    let series = series(DAYS);
    let days = series.days.iter().map(|d| d.0).collect();
    Arc::new(TrainingSet::one(days, series.quantity, FeatureTable::default()))
}

fn one_table() -> Arc<TrainingSet> {
    let series = series(DAYS);
    let frame = training_frame(&CONTRACT_FRAME, &series, &Exogenous::default());
    let names = frame.features.iter().map(retailcast_core::frame::Feature::name).collect();
    let features = FeatureTable { names, rows: frame.rows, values: frame.values };
    let days = series.days.iter().map(|d| d.0).collect();
    Arc::new(TrainingSet::one(days, series.quantity, features))
}

fn ahead(series: usize) -> Arc<FutureSet> {
    Arc::new(FutureSet {
        starts: vec![18_000 + DAYS as i32; series],
        horizon: HORIZON,
        features: FeatureTable::default(),
    })
}

fn fit_predict(model: &dyn ForecastModel, data: &Arc<TrainingSet>, future: &Arc<FutureSet>) -> f64 {
    let mut session = model.session(&Call::default()).unwrap();
    let fitted = session.fit("{}", Arc::clone(data)).unwrap();
    session.predict(fitted, Arc::clone(future)).unwrap().points[0]
}

fn calls(c: &mut Criterion) {
    let (data, future) = (one(), ahead(1));
    let mut group = c.benchmark_group("naive_730_days");
    for (name, settings) in [
        ("fresh_instance", EngineSettings::default()),
        ("fresh_instance_no_epochs", EngineSettings { epochs: false, ..EngineSettings::default() }),
        ("fresh_instance_pooling", EngineSettings { pooling: true, ..EngineSettings::default() }),
    ] {
        let model = catalogue(settings).model("naive").unwrap();
        group.bench_function(name, |b| b.iter(|| black_box(fit_predict(&*model, &data, &future))));
    }
    let model = catalogue(EngineSettings::default()).model("naive").unwrap();
    let mut session = model.session(&Call::default()).unwrap();
    group.bench_function("warm_instance", |b| {
        b.iter(|| {
            let fitted = session.fit("{}", Arc::clone(&data)).unwrap();
            let points = session.predict(fitted, Arc::clone(&future)).unwrap().points;
            session.release(fitted).unwrap();
            black_box(points)
        });
    });
    group.finish();
}

/// 720 series of 1,455 days, 5 folds of 14 days: seasonal naive, the panel of each fold in one call.
fn portfolio(c: &mut Criterion) {
    const SERIES: usize = 720;
    const LENGTH: usize = 1_455;
    let folds: Vec<(Arc<TrainingSet>, Arc<FutureSet>)> = (1..=5)
        .map(|fold| {
            let rows = LENGTH - 14 * fold;
            let target = (0..SERIES).flat_map(|s| (0..rows).map(move |i| quantity(i + s))).collect();
            let days = (0..SERIES).flat_map(|_| 0..rows as i32).collect();
            let offsets = (0..=SERIES).map(|s| (s * rows) as u32).collect();
            let starts = vec![rows as i32; SERIES];
            (
                Arc::new(TrainingSet { offsets, days, target, features: FeatureTable::default() }),
                Arc::new(FutureSet { starts, horizon: 14, features: FeatureTable::default() }),
            )
        })
        .collect();
    let model = catalogue(EngineSettings::default()).model("seasonal_naive").unwrap();
    c.bench_function("seasonal_naive_720_series_5_folds", |b| {
        b.iter(|| {
            for (data, future) in &folds {
                let mut session = model.session(&Call::default()).unwrap();
                let fitted = session.fit(r#"{"season_length":7}"#, Arc::clone(data)).unwrap();
                black_box(session.predict(fitted, Arc::clone(future)).unwrap().points);
            }
        });
    });
}

fn lightgbm(c: &mut Criterion) {
    let data = one_table();
    let mut group = c.benchmark_group("lightgbm_100_trees_730_rows");
    group.sample_size(40);
    let model = catalogue(EngineSettings::default()).model("lightgbm").unwrap();
    group.bench_function("capability", |b| {
        b.iter(|| {
            let mut session = model.session(&Call::default()).unwrap();
            black_box(session.fit("{}", Arc::clone(&data)).unwrap())
        });
    });
    let labels: Vec<f32> = data.target.iter().map(|y| *y as f32).collect();
    let parameters = serde_json::json!({
        "objective": "regression", "num_iterations": 100, "learning_rate": 0.1, "max_depth": 6, "num_leaves": 31,
        "min_data_in_leaf": 20, "num_threads": 1, "deterministic": true, "force_row_wise": true, "verbosity": -1
    });
    group.bench_function("direct", |b| {
        b.iter(|| {
            let set = Dataset::from_slice(&data.features.values, &labels, 14, false).unwrap();
            black_box(Booster::train(set, &parameters).unwrap())
        });
    });
    group.finish();
}

fn regression(c: &mut Criterion) {
    use retailcast_plugin_regression::boosting;
    let data = one_table();
    let mut group = c.benchmark_group("regression_200_iterations_730_rows");
    group.sample_size(20);
    for (name, settings) in [
        ("sandbox", EngineSettings::default()),
        ("sandbox_no_epochs", EngineSettings { epochs: false, ..EngineSettings::default() }),
    ] {
        let model = catalogue(settings).model("regression").unwrap();
        group.bench_function(name, |b| {
            b.iter_batched(
                || model.session(&Call::default()).unwrap(),
                |mut session| {
                    black_box(session.fit("{}", Arc::clone(&data)).unwrap());
                    session
                },
                BatchSize::SmallInput,
            );
        });
    }
    let columns: Vec<&[f64]> = (0..14).filter_map(|i| data.features.column(i)).collect();
    let parameters = boosting::Params { max_iter: 200, learning_rate: 0.05, max_depth: 6 };
    group.bench_function("native", |b| {
        b.iter(|| black_box(boosting::fit(&columns, &data.target, &parameters).unwrap()));
    });
    group.finish();
}

/// What a start takes: compiling all plugins, or reading what was compiled before.
fn loading(c: &mut Criterion) {
    let (engine, folder) = (Engine::new(EngineSettings::default()).unwrap(), tempfile::tempdir().unwrap());
    let mut group = c.benchmark_group("load_first_party_plugins");
    group.sample_size(10);
    group.bench_function("cold", |b| b.iter(|| load(&engine, None)));
    load(&engine, Some(folder.path()));
    group.bench_function("from_cache", |b| b.iter(|| load(&engine, Some(folder.path()))));
    group.finish();
}

/// A text of 128 word pieces, on one core, and one of eight; and the first text of an instance, which reads the weights.
/// `scripts/encoder.sh` fetches them.
fn sentence_encoder(c: &mut Criterion) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = GrantedFolder {
        path: root.join(".retailcast/models/all-MiniLM-L6-v2"),
        granted_in: "a bench".to_owned(),
    };
    let settings = PluginSettings { folder: Some(folder), ..PluginSettings::default() };
    let engine = Engine::new(EngineSettings::default()).unwrap();
    let component = retailcast_bundled::find("embed_minilm").unwrap().component;
    let provider = || match open(&engine, None, "embed_minilm", component, &settings).unwrap() {
        Plugin::EmbeddingProvider(provider) => provider,
        other => panic!("{}", other.description().kind),
    };
    let embed = |provider: &dyn EmbeddingProvider, pieces: usize| {
        // One piece each, and two for the marks of start and end.
        let texts = [vec!["day"; pieces - 2].join(" ")];
        let config = r#"{"dimension": 384}"#;
        provider.embed(config, Purpose::Document, &texts, 384, &Call::default()).unwrap().unwrap()
    };
    let mut group = c.benchmark_group("sentence_encoder");
    group.sample_size(10);
    group.bench_function("first_of_8", |b| {
        b.iter_batched(provider, |provider| embed(&*provider, 8), BatchSize::PerIteration);
    });
    let provider = provider();
    for pieces in [8, 128, 256] {
        group.bench_function(format!("pieces_{pieces}"), |b| b.iter(|| embed(&*provider, pieces)));
    }
}

criterion_group!(benches, calls, portfolio, lightgbm, regression, loading, sentence_encoder);
criterion_main!(benches);
