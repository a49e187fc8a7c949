//! Laws on panels of all sorts.

use proptest::prelude::*;
use retailcast_plugin_seasonal_naive::SeasonalNaive;
use retailcast_sdk::component::EachSeries;
use retailcast_sdk::testing::panels::{assert_alone_as_together, panels};

proptest! {
    /// Also of panels in which some series are shorter than a season.
    #[test]
    fn a_series_alone_is_forecast_as_among_others(panel in panels(2..=5, 4..=30), horizon in 1_usize..20) {
        assert_alone_as_together::<EachSeries<SeasonalNaive>>("{}", &panel, horizon);
    }
}
