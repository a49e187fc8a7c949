//! Features as small integers.

use super::histogram::UNROLL;

/// Most value bins of a feature; one more is for missing values.
const MAX_BINS: usize = 255;

/// The bins of one feature.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FeatureBins {
    /// Ascending; bin b holds values above threshold b - 1 and up to threshold b.
    pub thresholds: Vec<f64>,
    /// Whether any training value is missing.
    pub has_missing: bool,
    /// Position of bin 0 in a histogram over all features.
    pub offset: usize,
}

impl FeatureBins {
    /// Value bins.
    pub(super) fn count(&self) -> usize {
        self.thresholds.len() + 1
    }

    /// Position of the missing bin in a histogram over all features.
    pub(super) fn missing_slot(&self) -> usize {
        self.offset + self.count()
    }

    fn slot(&self, value: f64) -> u32 {
        let bin = if value.is_nan() { self.count() } else { self.thresholds.partition_point(|t| *t < value) };
        (self.offset + bin) as u32
    }
}

/// All features of all rows, binned once.
#[derive(Debug)]
pub(super) struct Bins {
    pub features: Vec<FeatureBins>,
    /// Row after row, one histogram slot per feature: filling a histogram reads memory in order. Rows are padded to
    /// `stride` with a slot that belongs to no feature.
    pub slots: Vec<u32>,
    /// Slots per row, a multiple of [`UNROLL`].
    pub stride: usize,
    pub rows: usize,
    /// Slots of a histogram over all features, and the one of the padding.
    pub total: usize,
}

impl Bins {
    pub(super) fn new(columns: &[&[f64]]) -> Self {
        let rows = columns.first().map_or(0, |column| column.len());
        let mut offset = 0;
        let features: Vec<FeatureBins> = columns
            .iter()
            .map(|column| {
                let bins = FeatureBins {
                    thresholds: thresholds(column),
                    has_missing: column.iter().any(|v| v.is_nan()),
                    offset,
                };
                offset += bins.count() + 1;
                bins
            })
            .collect();
        let stride = columns.len().next_multiple_of(UNROLL);
        let padding = offset as u32;
        let mut slots = vec![padding; rows * stride];
        for (row, slots) in slots.chunks_exact_mut(stride.max(1)).enumerate() {
            for ((slot, bins), column) in slots.iter_mut().zip(&features).zip(columns) {
                *slot = bins.slot(column[row]);
            }
        }
        Self { features, slots, stride, rows, total: offset + 1 }
    }
}

/// Midpoints between distinct values, or 254 of them at percentiles when there are more than 255.
fn thresholds(column: &[f64]) -> Vec<f64> {
    let mut values: Vec<f64> = column.iter().copied().filter(|v| !v.is_nan()).collect();
    values.sort_unstable_by(f64::total_cmp);
    let mut distinct = values.clone();
    distinct.dedup();
    if distinct.len() <= MAX_BINS {
        return distinct.windows(2).map(|pair| 0.5 * (pair[0] + pair[1])).collect();
    }
    (1..MAX_BINS)
        .map(|b| {
            // Evaluated in this order: numpy's linspace of percentages, then its midpoint percentile.
            let percent = b as f64 * (100.0 / MAX_BINS as f64);
            let position = (values.len() - 1) as f64 * (percent / 100.0);
            0.5 * (values[position.floor() as usize] + values[position.ceil() as usize])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_are_split_halfway() {
        assert_eq!(thresholds(&[3.0, f64::NAN, 1.0, 1.0, 2.0]), [1.5, 2.5]);
        assert!(thresholds(&[f64::NAN]).is_empty());
        assert!(thresholds(&[7.0, 7.0]).is_empty());
    }

    #[test]
    fn many_values_give_254_thresholds() {
        let column: Vec<f64> = (0..1000).map(f64::from).collect();
        let thresholds = thresholds(&column);
        assert_eq!(thresholds.len(), 254);
        assert!(thresholds.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn a_value_on_a_threshold_belongs_below_it() {
        let bins = Bins::new(&[&[1.0, 2.0, f64::NAN]]);
        let feature = &bins.features[0];
        assert_eq!(
            bins.slots[0..3 * bins.stride].chunks(bins.stride).map(|row| row[0]).collect::<Vec<_>>(),
            [0, 1, 2]
        );
        assert_eq!((bins.slots[1], bins.total), (3, 4));
        assert_eq!((feature.slot(1.5), feature.slot(1.6), feature.missing_slot()), (0, 1, 2));
    }
}
