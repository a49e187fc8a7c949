//! New stores and products (`seeder.md` §7.1, §7.2).

use std::collections::BTreeSet;

use super::parameters::Parameters;
use super::{Cents, Stream, scaled, words};
use crate::Day;

/// A store to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewStore {
    /// `S` and four digits.
    pub code: String,
    /// Two or three words.
    pub name: String,
    /// From the lists.
    pub region: String,
    /// In the United States.
    pub city: String,
    /// From the lists.
    pub store_type: String,
}

/// A product to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProduct {
    /// `SKU-` and five digits.
    pub sku: String,
    /// Brand, adjective, noun.
    pub name: String,
    /// From the lists.
    pub category: String,
    /// With life cycle only.
    pub subcategory: Option<String>,
    /// From the lists.
    pub brand: String,
    /// List price.
    pub base_price: Cents,
    /// Unit cost.
    pub base_cost: Cents,
    /// With life cycle only.
    pub pack_size: Option<i32>,
    /// With life cycle only: the stage at launch.
    pub lifecycle_stage: Option<&'static str>,
    /// With life cycle, or in a preset of launches.
    pub launch: Option<Day>,
    /// With life cycle only.
    pub discontinue: Option<Day>,
}

/// Pack sizes; single units are the most common.
const PACKS: [i32; 7] = [1, 1, 1, 2, 4, 6, 12];
/// Days around the window's start in which products are launched.
const LAUNCH: (i64, i64) = (-90, 60);
/// Days from launch to the end of a discontinued product: no sooner than intro, growth and a month.
const LIFE: (i64, i64) = (120, 365);

/// The stores of a run.
pub fn stores(seed: u64, parameters: &Parameters) -> Vec<NewStore> {
    let mut numbers = Numbers::new(1, 9_999);
    let lists = &parameters.lists;
    (0..parameters.stores as u64)
        .map(|i| {
            let mut stream = Stream::of(seed, "store", &[i]);
            NewStore {
                code: format!("S{:04}", numbers.take(&mut stream)),
                name: format!("{} {}", stream.pick(&words::PLACES), stream.pick(&words::SHOPS)),
                region: stream.pick(&lists.regions).clone(),
                city: (*stream.pick(&words::CITIES)).to_owned(),
                store_type: stream.pick(&lists.store_types).clone(),
            }
        })
        .collect()
}

/// The products of a run.
pub fn products(seed: u64, parameters: &Parameters) -> Vec<NewProduct> {
    let mut numbers = Numbers::new(10_000, 99_999);
    (0..parameters.products as u64)
        .map(|i| {
            let mut stream = Stream::of(seed, "product", &[i]);
            let mut product = plain(&mut stream, &mut numbers, parameters);
            // Streams of their own: the features must not change sku, name or price.
            let launched = parameters.launch_every_product || parameters.features.lifecycle.is_some();
            if launched {
                let days = Stream::of(seed, "launch", &[i]).between(LAUNCH.0, LAUNCH.1);
                product.launch = Some(parameters.window.first() + days as i32);
            }
            if let (Some(probability), Some(launch)) = (parameters.features.lifecycle, product.launch) {
                let mut stream = Stream::of(seed, "lifecycle", &[i]);
                product.subcategory = Some((*stream.pick(words::nouns(&product.category))).to_owned());
                product.pack_size = Some(*stream.pick(&PACKS));
                product.lifecycle_stage = Some("intro");
                let ends = stream.chance(probability);
                let day = launch + stream.between(LIFE.0, LIFE.1) as i32;
                let inside = !parameters.window.span(day, Some(day)).is_empty();
                product.discontinue = (ends && inside).then_some(day);
            }
            product
        })
        .collect()
}

fn plain(stream: &mut Stream, numbers: &mut Numbers, parameters: &Parameters) -> NewProduct {
    let sku = format!("SKU-{}", numbers.take(stream));
    let category = stream.pick(&parameters.lists.categories).clone();
    let brand = stream.pick(&parameters.lists.brands).clone();
    let base_price = stream.between(99, 2_999);
    let base_cost = scaled(base_price, 1.0 - stream.real(0.30, 0.60));
    let (adjective, noun) = (stream.pick(&words::ADJECTIVES), stream.pick(words::nouns(&category)));
    NewProduct {
        sku,
        name: format!("{brand} {adjective} {noun}"),
        category,
        subcategory: None,
        brand,
        base_price,
        base_cost,
        pack_size: None,
        lifecycle_stage: None,
        launch: None,
        discontinue: None,
    }
}

/// Numbers of a range, each given once.
struct Numbers {
    least: i64,
    most: i64,
    taken: BTreeSet<i64>,
}

impl Numbers {
    /// Draws before the smallest free number is taken: with half of the numbers gone, a hundred misses in a row are
    /// as good as impossible.
    const TRIES: usize = 100;

    fn new(least: i64, most: i64) -> Self {
        Self { least, most, taken: BTreeSet::new() }
    }

    fn take(&mut self, stream: &mut Stream) -> i64 {
        let drawn = (0..Self::TRIES)
            .map(|_| stream.between(self.least, self.most))
            .find(|number| !self.taken.contains(number));
        // When all are gone, the range is left: the bounds on stores and products are far below.
        let smallest_free = || (self.least..=self.most).find(|number| !self.taken.contains(number));
        let number = drawn.or_else(smallest_free).unwrap_or(self.most);
        self.taken.insert(number);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeder::Scenario;

    fn parameters(stores: usize, products: usize) -> Parameters {
        let today: Day = "2026-04-02".parse().unwrap();
        Parameters { stores, products, ..Scenario::RetailStandard.parameters(today) }
    }

    #[test]
    fn keys_are_unique_and_in_form() {
        let made = stores(42, &parameters(100, 1));
        let codes: BTreeSet<&str> = made.iter().map(|store| store.code.as_str()).collect();
        assert_eq!(codes.len(), 100);
        assert!(codes.iter().all(|code| code.len() == 5 && code.starts_with('S')));
        let made = products(42, &parameters(1, 500));
        let skus: BTreeSet<&str> = made.iter().map(|product| product.sku.as_str()).collect();
        assert_eq!(skus.len(), 500);
        assert!(skus.iter().all(|sku| sku.len() == 9 && sku.starts_with("SKU-")));
        for product in &made {
            assert!((99..=2_999).contains(&product.base_price));
            let share = product.base_cost as f64 / product.base_price as f64;
            // Half a cent of rounding on the smallest price.
            assert!((0.40 - 0.0051..=0.70 + 0.0051).contains(&share), "{product:?}");
            assert!(product.launch.is_none() && product.subcategory.is_none() && product.pack_size.is_none());
        }
    }

    #[test]
    fn scarce_numbers_are_used_up_without_repetition() {
        let mut numbers = Numbers::new(1, 50);
        let mut stream = Stream::of(1, "x", &[]);
        let taken: BTreeSet<i64> = (0..50).map(|_| numbers.take(&mut stream)).collect();
        assert_eq!((taken.len(), taken.first(), taken.last()), (50, Some(&1), Some(&50)));
    }

    #[test]
    fn the_life_cycle_changes_nothing_else_of_a_product() {
        let plain = parameters(1, 400);
        let mut alive = plain.clone();
        alive.features.lifecycle = Some(0.5);
        let (before, after) = (products(7, &plain), products(7, &alive));
        let mut ends = 0;
        for (before, after) in before.iter().zip(&after) {
            let launch = after.launch.unwrap();
            assert!((-90..=60).contains(&(launch - plain.window.first())));
            assert!(PACKS.contains(&after.pack_size.unwrap()));
            if let Some(end) = after.discontinue {
                assert!((120..=365).contains(&(end - launch)) && end <= plain.window.last());
                ends += 1;
            }
            let mut stripped = after.clone();
            (stripped.subcategory, stripped.pack_size, stripped.lifecycle_stage) = (None, None, None);
            (stripped.launch, stripped.discontinue) = (None, None);
            assert_eq!(*before, stripped);
        }
        // Half are drawn; launch + life ends inside the window of 366 days for some two thirds of them.
        assert!((80..=180).contains(&ends), "{ends}");
    }

    #[test]
    fn launches_get_a_date_and_nothing_else() {
        let today: Day = "2026-04-02".parse().unwrap();
        let p = Scenario::NewLaunches.parameters(today);
        for product in products(1, &p) {
            assert!(
                product.launch.is_some()
                    && product.lifecycle_stage.is_none()
                    && product.discontinue.is_none()
            );
        }
    }
}
