//! Where the search begins: states before the first value, from a classical decomposition of the season and a line
//! through the first values (Hyndman et al. 2008, section 2.6.1).

use crate::form::{Form, Join, Trend};
use crate::recursion::States;

/// Values that level and growth are taken from, unless two seasons are longer.
const FIRST: usize = 10;

/// States before the first of these values, of which there are three seasons if the form has one.
pub(crate) fn states(form: Form, values: &[f64], season_length: usize) -> States {
    let (season, adjusted) = match form.season {
        None => (vec![0.0], values.to_vec()),
        Some(join) => {
            let season = season(join, values, season_length);
            let indices = season.iter().cycle();
            let adjusted =
                values.iter().zip(indices).map(|(value, index)| apart(join, *value, *index)).collect();
            (season, adjusted)
        }
    };
    let count = FIRST.max(2 * season_length * usize::from(form.season.is_some())).min(values.len());
    let first = &adjusted[..count];
    let (level, growth) = match form.trend {
        Trend::None => (first.iter().sum::<f64>() / count as f64, 0.0),
        Trend::Additive | Trend::Damped => line(first),
    };
    States { level, growth, season }
}

fn apart(join: Join, value: f64, index: f64) -> f64 {
    match join {
        Join::Additive => value - index,
        Join::Multiplicative => value / index,
    }
}

/// One index per phase: the mean of what the values are over their centred moving average.
fn season(join: Join, values: &[f64], length: usize) -> Vec<f64> {
    /// A multiplied index is at least this.
    const LEAST: f64 = 0.01;
    let half = length / 2;
    let mut sums = vec![0.0; length];
    let mut counts = vec![0.0; length];
    for at in half..values.len() - half {
        let window = &values[at - half..=at + half];
        // With a season of even length the two ends of the window count half.
        let surplus = if length.is_multiple_of(2) { f64::midpoint(window[0], window[length]) } else { 0.0 };
        let mean = (window.iter().sum::<f64>() - surplus) / length as f64;
        sums[at % length] += apart(join, values[at], mean);
        counts[at % length] += 1.0;
    }
    let means: Vec<f64> = sums.iter().zip(&counts).map(|(sum, count)| sum / count).collect();
    let overall = means.iter().sum::<f64>() / length as f64;
    let indices = means.iter().map(|mean| apart(join, *mean, overall));
    match join {
        Join::Additive => indices.collect(),
        Join::Multiplicative => indices.map(|index| index.max(LEAST)).collect(),
    }
}

/// Value before the first and growth per value of the least-squares line.
fn line(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let centre = f64::midpoint(n, 1.0);
    let weighted: f64 = values.iter().zip(1_u32..).map(|(y, t)| (f64::from(t) - centre) * (y - mean)).sum();
    let slope = 12.0 * weighted / (n * (n * n - 1.0));
    (mean - slope * centre, slope)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_and_season_are_found() {
        let pattern = [2.0, -1.0, 0.5, -1.5];
        let values: Vec<f64> = (0..24).map(|t| 10.0 + 0.5 * f64::from(t) + pattern[t as usize % 4]).collect();
        let form = Form { error: Join::Additive, trend: Trend::Additive, season: Some(Join::Additive) };
        let States { level, growth, season } = states(form, &values, 4);
        assert!((level - 9.5).abs() < 1e-9 && (growth - 0.5).abs() < 1e-9);
        assert!(season.iter().zip(pattern).all(|(found, index)| (found - index).abs() < 1e-9), "{season:?}");
    }
}
