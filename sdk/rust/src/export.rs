//! The one line that makes a plugin of a crate.

/// Exports a plugin as a component. One per crate. What follows `as` is its kind, the trait that the type implements:
/// `SeriesModel` (one series at a time), `ForecastModel` (whole panels), `Explainer`, `ScenarioAdjuster` or
/// `EmbeddingProvider`. A type may implement several, so the kind is said and not guessed.
#[macro_export]
macro_rules! export {
    ($plugin:ty as SeriesModel) => {
        $crate::__export_series_model!($plugin);
    };
    ($plugin:ty as ForecastModel) => {
        $crate::__export_forecast_model!($plugin);
    };
    ($plugin:ty as Explainer) => {
        $crate::__export_explainer!($plugin);
    };
    ($plugin:ty as ScenarioAdjuster) => {
        $crate::__export_scenario_adjuster!($plugin);
    };
    ($plugin:ty as EmbeddingProvider) => {
        $crate::__export_embedding_provider!($plugin);
    };
    ($plugin:ty as $kind:ident) => {
        compile_error!(concat!(
            "`",
            stringify!($kind),
            "` is no kind of plugin; there are SeriesModel, ForecastModel, Explainer, ScenarioAdjuster, EmbeddingProvider"
        ));
    };
    ($plugin:ty) => {
        compile_error!(concat!("say of which kind it is: export!(", stringify!($plugin), " as SeriesModel)"));
    };
}
