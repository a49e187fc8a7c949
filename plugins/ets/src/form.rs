//! The forms of exponential smoothing, and which of them come into question for a series.
//!
//! Names as in Hyndman, Koehler, Ord and Snyder (2008), "Forecasting with exponential smoothing": ETS(error, trend,
//! season), each N (none), A (additive) or M (multiplicative); Ad is a damped additive trend.

use serde::{Deserialize, Serialize};

/// How a component joins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Join {
    /// It is added.
    Additive,
    /// It is multiplied.
    Multiplicative,
}

/// The trend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trend {
    /// The level stays.
    None,
    /// The level grows by as much every day.
    Additive,
    /// The growth fades.
    Damped,
}

/// A form of exponential smoothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// The error.
    pub error: Join,
    /// The trend.
    pub trend: Trend,
    /// The season, if any.
    pub season: Option<Join>,
}

impl std::fmt::Display for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let letter = |join| if join == Join::Additive { "A" } else { "M" };
        let trend = match self.trend {
            Trend::None => "N",
            Trend::Additive => "A",
            Trend::Damped => "Ad",
        };
        write!(f, "ETS({},{trend},{})", letter(self.error), self.season.map_or("N", letter))
    }
}

impl Form {
    /// Numbers that are estimated for it with seasons of this length: smoothing parameters, first states, variance.
    pub(crate) fn parameters(self, season_length: usize) -> usize {
        let trend = match self.trend {
            Trend::None => 0,
            Trend::Additive => 2,
            Trend::Damped => 3,
        };
        // Of the first season's indices one follows from the others.
        let season = self.season.map_or(0, |_| 1 + (season_length - 1));
        3 + trend + season
    }

    /// Multiplied components divide by values.
    fn needs_positive_values(self) -> bool {
        self.error == Join::Multiplicative || self.season == Some(Join::Multiplicative)
    }

    /// Additive errors beside a multiplicative season have no finite variance far ahead.
    fn is_stable(self) -> bool {
        !(self.error == Join::Additive && self.season == Some(Join::Multiplicative))
    }
}

/// Which forms are looked at: three letters, for error (A, M), trend (N, A) and season (N, A, M); Z stands for all. A trend
/// is looked at with and without damping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spec {
    error: char,
    trend: char,
    season: char,
}

impl Spec {
    /// Reads the three letters; `None` when they are others, or allow no form at all.
    pub fn parse(letters: &str) -> Option<Self> {
        let [error, trend, season] = letters.chars().collect::<Vec<_>>().try_into().ok()?;
        let known = "AMZ".contains(error) && "NAZ".contains(trend) && "NAMZ".contains(season);
        Some(Self { error, trend, season }).filter(|spec| known && spec.forms().next().is_some())
    }

    /// The forms that it allows.
    fn forms(self) -> impl Iterator<Item = Form> {
        use Join::{Additive, Multiplicative};
        let allows = |letter: char, asked: char| asked == 'Z' || asked == letter;
        let errors = [('A', Additive), ('M', Multiplicative)];
        let trends = [('N', Trend::None), ('A', Trend::Additive), ('A', Trend::Damped)];
        let seasons = [('N', None), ('A', Some(Additive)), ('M', Some(Multiplicative))];
        errors
            .into_iter()
            .filter(move |(letter, _)| allows(*letter, self.error))
            .flat_map(move |(_, error)| {
                trends.into_iter().filter(move |(letter, _)| allows(*letter, self.trend)).flat_map(
                    move |(_, trend)| {
                        seasons
                            .into_iter()
                            .filter(move |(letter, _)| allows(*letter, self.season))
                            .map(move |(_, season)| Form { error, trend, season })
                    },
                )
            })
            .filter(|form| form.is_stable())
    }

    /// The forms that it allows and for which the values suffice: enough of them to estimate the form's parameters and tell
    /// forms apart, three seasons for a season, above zero for what is multiplied.
    pub(crate) fn candidates(self, values: &[f64], season_length: usize) -> Vec<Form> {
        let positive = values.iter().all(|value| *value > 0.0);
        self.forms()
            .filter(|form| positive || !form.needs_positive_values())
            .filter(|form| form.season.is_none() || season_length > 1 && values.len() >= 3 * season_length)
            .filter(|form| values.len() >= form.parameters(season_length) + 2)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(letters: &str, values: &[f64]) -> Vec<String> {
        Spec::parse(letters).unwrap().candidates(values, 7).iter().map(Form::to_string).collect()
    }

    #[test]
    fn zeros_leave_what_is_added() {
        let additive = ["ETS(A,N,N)", "ETS(A,N,A)", "ETS(A,A,N)", "ETS(A,A,A)", "ETS(A,Ad,N)", "ETS(A,Ad,A)"];
        assert_eq!(names("ZZZ", &[0.0; 50]), additive);
        assert_eq!(names("ZZZ", &[1.0; 50]).len(), 15);
    }

    #[test]
    fn few_values_leave_simple_forms() {
        assert_eq!(names("AZZ", &[1.0; 20]), ["ETS(A,N,N)", "ETS(A,A,N)", "ETS(A,Ad,N)"]);
        assert_eq!(names("AZZ", &[1.0; 6]), ["ETS(A,N,N)"]);
    }

    #[test]
    fn letters_fix_components() {
        assert_eq!(names("MAM", &[1.0; 50]), ["ETS(M,A,M)", "ETS(M,Ad,M)"]);
        for letters in ["AAM", "ZZ", "NZZ", "ZMZ", "ZZZZ", ""] {
            assert_eq!(Spec::parse(letters), None, "{letters}");
        }
    }
}
