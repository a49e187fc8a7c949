//! A safe wrapper of what we need of LightGBM's C interface.
//!
//! `lightgbm3::Booster::train` runs all rounds in one call; a capability must look at deadline and cancellation
//! between rounds, so this drives `lightgbm3-sys` (the same crate's bindings) round by round.

use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr;

use lightgbm3_sys as sys;

use super::categories::Categories;
use super::{Params, model_text, threads};

/// LightGBM refused, or the caller interrupted it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BoosterError {
    /// LightGBM's own words.
    #[error("LightGBM: {0}")]
    Library(String),
    /// The caller's check said stop.
    #[error("interrupted after {0} rounds")]
    Interrupted(u32),
    /// The matrix does not fit the model.
    #[error("{0}")]
    Shape(String),
    /// A column that is named categorical does not exist or holds no codes.
    #[error("{0}")]
    Codes(String),
    /// The text is not one that [`Booster::save`] of this host wrote.
    #[error("not a LightGBM model of this host: {0}")]
    Text(String),
}

/// How importance is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Importance {
    /// Number of splits.
    Split,
    /// Gain of splits.
    Gain,
}

/// What a prediction call computes.
#[derive(Debug, Clone, Copy)]
enum Output {
    Prediction,
    Contributions,
}

fn check(code: i32) -> Result<(), BoosterError> {
    if code == 0 {
        return Ok(());
    }
    // SAFETY: LightGBM returns a pointer to a thread-local, NUL-terminated buffer, which no other call on this
    // thread overwrites before it is copied here.
    #[allow(unsafe_code)]
    let message = unsafe { CStr::from_ptr(sys::LGBM_GetLastError()) };
    Err(BoosterError::Library(without_source_place(&message.to_string_lossy()).to_owned()))
}

/// LightGBM's checks say where in its sources they stand, on the machine that built this program.
fn without_source_place(message: &str) -> &str {
    let end = message.rfind(" at /").filter(|at| message[*at..].contains(", line "));
    message[..end.unwrap_or(message.len())].trim()
}

/// A matrix bound to labels, binned for training.
struct Dataset(sys::DatasetHandle);

impl Dataset {
    /// `columns` has one number per feature and row, column after column.
    fn new(columns: &[f64], features: usize, labels: &[f32], params: &CStr) -> Result<Self, BoosterError> {
        let mut dataset = Self(ptr::null_mut());
        let rows = labels.len();
        if features == 0 || columns.len() != rows * features || rows == 0 {
            return Err(BoosterError::Shape(format!(
                "a matrix of {rows} rows and {features} columns has {} numbers",
                columns.len()
            )));
        }
        // SAFETY: the matrix pointer has rows * features f64 (checked above), the label pointer rows f32; LightGBM
        // copies both during the calls. The handle is written by the first call and used by the second only when
        // the first succeeded.
        #[allow(unsafe_code)]
        unsafe {
            check(sys::LGBM_DatasetCreateFromMat(
                columns.as_ptr().cast::<c_void>(),
                sys::C_API_DTYPE_FLOAT64 as i32,
                rows as i32,
                features as i32,
                0, // column-major
                params.as_ptr(),
                ptr::null_mut(),
                &raw mut dataset.0,
            ))?;
            check(sys::LGBM_DatasetSetField(
                dataset.0,
                c"label".as_ptr(),
                labels.as_ptr().cast::<c_void>(),
                rows as i32,
                sys::C_API_DTYPE_FLOAT32 as i32,
            ))?;
        }
        Ok(dataset)
    }
}

impl Drop for Dataset {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: the handle came from LightGBM and is freed once, here; the booster that trained on it owned
            // it and has freed itself before.
            #[allow(unsafe_code)]
            unsafe {
                sys::LGBM_DatasetFree(self.0);
            }
        }
    }
}

/// Trained trees.
pub struct Booster {
    handle: sys::BoosterHandle,
    features: usize,
    categories: Categories,
    /// LightGBM keeps a pointer to the data that it trained on; fields drop after `Drop::drop` freed the handle.
    _training: Option<Dataset>,
}

// SAFETY: the handle is a plain heap object of LightGBM without thread affinity; Rust's ownership makes sure that
// only one thread uses it at a time (there is no `Sync`), and the only thread-local part, the error message, is
// read on the thread of the failing call.
#[allow(unsafe_code)]
unsafe impl Send for Booster {}

impl std::fmt::Debug for Booster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Booster").field("features", &self.features).finish_non_exhaustive()
    }
}

impl Drop for Booster {
    fn drop(&mut self) {
        if !self.handle.is_null() {
            // SAFETY: the handle came from LightGBM and is freed once, here.
            #[allow(unsafe_code)]
            unsafe {
                sys::LGBM_BoosterFree(self.handle);
            }
        }
    }
}

impl Booster {
    /// Trains on `columns` (one number per feature and row, column after column; NaN is missing) on at most so many
    /// threads, and never on more than there are cores. `interrupted` is asked before every round.
    pub fn train(
        columns: &[f64],
        features: usize,
        target: &[f64],
        params: &Params,
        threads: usize,
        mut interrupted: impl FnMut() -> bool,
    ) -> Result<Self, BoosterError> {
        let text = CString::new(params.text()).map_err(|e| BoosterError::Library(e.to_string()))?;
        let labels: Vec<f32> = target.iter().map(|y| *y as f32).collect();
        let categories = Categories::learn(columns, labels.len(), &params.categorical)?;
        let encoded = categories.encode(columns, labels.len());
        let dataset = threads::on(threads, || Dataset::new(&encoded, features, &labels, &text))?;
        drop(encoded);
        let data = dataset.0;
        let mut training = Self { handle: ptr::null_mut(), features, categories, _training: Some(dataset) };
        // SAFETY: the dataset outlives the booster that keeps a pointer to it: the booster owns it, and frees its
        // own handle first.
        #[allow(unsafe_code)]
        threads::on(threads, || {
            check(unsafe { sys::LGBM_BoosterCreate(data, text.as_ptr(), &raw mut training.handle) })
        })?;
        for round in 0..params.rounds {
            if interrupted() {
                return Err(BoosterError::Interrupted(round));
            }
            let mut finished = 0;
            // SAFETY: the handle is valid, the out pointer lives through the call.
            #[allow(unsafe_code)]
            threads::on(threads, || {
                check(unsafe { sys::LGBM_BoosterUpdateOneIter(training.handle, &raw mut finished) })
            })?;
            if finished != 0 {
                break;
            }
        }
        Ok(training)
    }

    /// Reads LightGBM's text format, as [`Booster::save`] of this host writes it and nothing else.
    pub fn load(text: &str) -> Result<Self, BoosterError> {
        let (text, categories) = Categories::split(text).map_err(BoosterError::Text)?;
        let shape = model_text::check(text, &categories.columns()).map_err(BoosterError::Text)?;
        let text = CString::new(text).map_err(|e| BoosterError::Text(e.to_string()))?;
        let mut booster =
            Self { handle: ptr::null_mut(), features: shape.features, categories, _training: None };
        let mut rounds = 0;
        // SAFETY: LightGBM trusts what it reads; `model_text::check` has just proved that these bytes, to the last
        // one, are a model whose counts, lengths, features and children are sound. The text is NUL-terminated and has
        // no NUL before; the out pointers live through the call.
        #[allow(unsafe_code)]
        threads::on(1, || {
            check(unsafe {
                sys::LGBM_BoosterLoadModelFromString(text.as_ptr(), &raw mut rounds, &raw mut booster.handle)
            })
        })?;
        let (classes, features) = booster.counts()?;
        if (classes, features, rounds as usize) != (1, shape.features, shape.trees) {
            return Err(BoosterError::Text(format!(
                "LightGBM read {classes} classes, {features} features and {rounds} trees of {shape:?}"
            )));
        }
        Ok(booster)
    }

    /// Classes and features, as LightGBM has them.
    fn counts(&self) -> Result<(usize, usize), BoosterError> {
        let (mut classes, mut features) = (0, 0);
        // SAFETY: the handle is valid, the out pointers live through the calls.
        #[allow(unsafe_code)]
        unsafe {
            check(sys::LGBM_BoosterGetNumClasses(self.handle, &raw mut classes))?;
            check(sys::LGBM_BoosterGetNumFeature(self.handle, &raw mut features))?;
        }
        Ok((classes as usize, features as usize))
    }

    /// LightGBM's text format, and behind it the codes of categorical columns, when there are some.
    pub fn save(&self) -> Result<String, BoosterError> {
        let importance = sys::C_API_FEATURE_IMPORTANCE_SPLIT as i32;
        let mut size = 0;
        let mut buffer = vec![0_u8; 64 << 10];
        loop {
            // SAFETY: the handle is valid; LightGBM writes at most `buffer.len()` bytes and the needed size.
            #[allow(unsafe_code)]
            threads::on(1, || {
                check(unsafe {
                    sys::LGBM_BoosterSaveModelToString(
                        self.handle,
                        0,
                        -1,
                        importance,
                        buffer.len() as i64,
                        &raw mut size,
                        buffer.as_mut_ptr().cast::<c_char>(),
                    )
                })
            })?;
            if size as usize <= buffer.len() {
                break;
            }
            buffer.resize(size as usize, 0);
        }
        // The size counts the closing NUL.
        buffer.truncate((size as usize).saturating_sub(1));
        let text = String::from_utf8(buffer).map_err(|e| BoosterError::Library(e.to_string()))?;
        Ok(text + &self.categories.line())
    }

    /// Number of feature columns it was trained on.
    pub fn features(&self) -> usize {
        self.features
    }

    /// One prediction per row of `columns` (column after column).
    pub fn predict(&self, columns: &[f64], rows: usize) -> Result<Vec<f64>, BoosterError> {
        self.run(columns, rows, Output::Prediction)
    }

    /// SHAP values: per row one number per feature and then the base value; they add up to the prediction.
    pub fn contributions(&self, columns: &[f64], rows: usize) -> Result<Vec<f64>, BoosterError> {
        self.run(columns, rows, Output::Contributions)
    }

    fn run(&self, columns: &[f64], rows: usize, output: Output) -> Result<Vec<f64>, BoosterError> {
        if rows.checked_mul(self.features) != Some(columns.len()) {
            return Err(BoosterError::Shape(format!(
                "the model was trained on {} columns; {rows} rows have {} numbers",
                self.features,
                columns.len()
            )));
        }
        let (kind, width) = match output {
            Output::Prediction => (sys::C_API_PREDICT_NORMAL as i32, 1),
            Output::Contributions => (sys::C_API_PREDICT_CONTRIB as i32, self.features + 1),
        };
        let too_many = || BoosterError::Shape(format!("{rows} rows are more than LightGBM can count"));
        let count = i32::try_from(rows).map_err(|_| too_many())?;
        let wanted = rows.checked_mul(width).ok_or_else(too_many)?;
        let mut announced = 0;
        // SAFETY: the handle is valid, the out pointer lives through the call.
        #[allow(unsafe_code)]
        check(unsafe {
            sys::LGBM_BoosterCalcNumPredict(self.handle, count, kind, 0, -1, &raw mut announced)
        })?;
        if usize::try_from(announced) != Ok(wanted) {
            return Err(BoosterError::Shape(format!(
                "LightGBM would write {announced} numbers instead of {wanted}"
            )));
        }
        let columns = self.categories.encode(columns, rows);
        let mut result = vec![0.0; wanted];
        let mut written = 0;
        // SAFETY: LightGBM reads rows * features numbers of the matrix, which has as many (checked above), and writes
        // as many numbers as it has just announced, which the result has room for. The trees are sound: this host
        // trained them, or `model_text::check` has proved it of the text that they were read from.
        #[allow(unsafe_code)]
        threads::on(1, || {
            check(unsafe {
                sys::LGBM_BoosterPredictForMat(
                    self.handle,
                    columns.as_ptr().cast::<c_void>(),
                    sys::C_API_DTYPE_FLOAT64 as i32,
                    count,
                    self.features as i32,
                    0, // column-major
                    kind,
                    0,
                    -1,
                    c"num_threads=0".as_ptr(),
                    &raw mut written,
                    result.as_mut_ptr(),
                )
            })
        })?;
        if written as usize != result.len() {
            return Err(BoosterError::Shape(format!("expected {} numbers, got {written}", result.len())));
        }
        Ok(result)
    }

    /// Importance per feature.
    pub fn importance(&self, kind: Importance) -> Result<Vec<f64>, BoosterError> {
        let kind = match kind {
            Importance::Split => sys::C_API_FEATURE_IMPORTANCE_SPLIT,
            Importance::Gain => sys::C_API_FEATURE_IMPORTANCE_GAIN,
        };
        let mut result = vec![0.0; self.features];
        // SAFETY: the handle is valid, and LightGBM writes one number per feature of its model: as many as the
        // columns that it was trained on, or as `load` has compared. Trees name no other feature.
        #[allow(unsafe_code)]
        threads::on(1, || {
            check(unsafe {
                sys::LGBM_BoosterFeatureImportance(self.handle, 0, kind as i32, result.as_mut_ptr())
            })
        })?;
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data() -> (Vec<f64>, Vec<f64>) {
        let rows = 200;
        let mut columns: Vec<f64> = (0..rows).map(|i| f64::from(i % 7)).collect();
        columns.extend((0..rows).map(|i| if i % 11 == 0 { f64::NAN } else { f64::from(i) }));
        let target = (0..rows).map(|i| f64::from((i % 7) * 3 + i / 50)).collect();
        (columns, target)
    }

    fn params() -> Params {
        Params::new(&[("num_iterations".to_owned(), "20".to_owned())], 42).unwrap()
    }

    #[test]
    fn predictions_survive_save_and_load_bit_for_bit() {
        let (columns, target) = data();
        let trained = Booster::train(&columns, 2, &target, &params(), 1, || false).unwrap();
        let before = trained.predict(&columns, 200).unwrap();
        let loaded = Booster::load(&trained.save().unwrap()).unwrap();
        let after = loaded.predict(&columns, 200).unwrap();
        assert_eq!(
            before.iter().map(|p| p.to_bits()).collect::<Vec<_>>(),
            after.iter().map(|p| p.to_bits()).collect::<Vec<_>>()
        );
    }

    #[test]
    fn contributions_add_up_to_the_prediction() {
        let (columns, target) = data();
        let booster = Booster::train(&columns, 2, &target, &params(), 1, || false).unwrap();
        let predictions = booster.predict(&columns, 200).unwrap();
        let contributions = booster.contributions(&columns, 200).unwrap();
        for (prediction, parts) in predictions.iter().zip(contributions.chunks(3)) {
            assert!((prediction - parts.iter().sum::<f64>()).abs() < 1e-9);
        }
    }

    #[test]
    fn stops_between_rounds() {
        let (columns, target) = data();
        let mut rounds = 0;
        let result = Booster::train(&columns, 2, &target, &params(), 1, || {
            rounds += 1;
            rounds > 3
        });
        assert_eq!(result.unwrap_err(), BoosterError::Interrupted(3));
    }

    #[test]
    fn messages_do_not_tell_where_the_program_was_built() {
        let target = vec![0.0; 200];
        let gamma = Params::new(&[("objective".to_owned(), "gamma".to_owned())], 42).unwrap();
        let error = Booster::train(&data().0, 2, &target, &gamma, 1, || false).unwrap_err().to_string();
        assert!(
            error.starts_with("LightGBM: ") && !error.contains(".hpp") && !error.contains(".cpp"),
            "{error}"
        );
    }

    /// Noise enough that a sum in another order would round to another number.
    fn panel() -> (Vec<f64>, Vec<f64>) {
        let rows = 20_000_u32;
        let noise =
            |seed: u32| (0..rows).map(move |i| f64::from((i ^ seed).wrapping_mul(2_654_435_761) >> 7).sqrt());
        let codes = (0..rows).map(|i| f64::from(i / 400 * 70_001));
        let columns: Vec<f64> = noise(1).chain(noise(2)).chain(noise(3)).chain(codes).collect();
        let target =
            (0..rows as usize).map(|i| (columns[i] / 7.0).sin() * 9.0 + (i / 400) as f64 / 3.0).collect();
        (columns, target)
    }

    #[test]
    fn trees_are_the_same_on_one_thread_and_on_two() {
        let (columns, target) = panel();
        let mut given = vec![("num_iterations".to_owned(), "15".to_owned())];
        let train = |given: &[(String, String)], threads| {
            let params = Params::new(given, 42).unwrap();
            Booster::train(&columns, 4, &target, &params, threads, || false).unwrap().save().unwrap()
        };
        assert_eq!(train(&given, 1), train(&given, 2));
        given.push(("categorical_feature".to_owned(), "3".to_owned()));
        assert_eq!(train(&given, 1), train(&given, 2));
    }

    #[test]
    fn trainings_on_one_thread_and_on_two_do_not_disturb_each_other() {
        let (columns, target) = panel();
        let train = |threads| Booster::train(&columns, 4, &target, &params(), threads, || false).unwrap();
        let alone = train(1).save().unwrap();
        std::thread::scope(|scope| {
            let running: Vec<_> =
                [1, 2, 1, 2].map(|threads| scope.spawn(move || train(threads).save().unwrap())).into();
            for training in running {
                assert!(training.join().unwrap() == alone);
            }
        });
    }

    #[test]
    fn categories_survive_save_and_load_and_strangers_are_missing() {
        let (columns, target) = panel();
        let given = [("categorical_feature", "3"), ("num_iterations", "10")];
        let given: Vec<_> = given.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let booster =
            Booster::train(&columns, 4, &target, &Params::new(&given, 42).unwrap(), 1, || false).unwrap();
        let text = booster.save().unwrap();
        assert!(
            text.ends_with("]]]\n") && text.contains("\ncategories:[[3,[0,70001,140002,"),
            "{}",
            &text[text.len() - 400..]
        );
        let loaded = Booster::load(&text).unwrap();
        assert_eq!(loaded.save().unwrap(), Booster::load(&loaded.save().unwrap()).unwrap().save().unwrap());
        let bits = |values: Vec<f64>| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        let rows = target.len();
        assert_eq!(
            bits(booster.predict(&columns, rows).unwrap()),
            bits(loaded.predict(&columns, rows).unwrap())
        );
        let row = |code| loaded.predict(&[1.0, 1.0, 1.0, code], 1).unwrap()[0].to_bits();
        assert_ne!(row(0.0), row(70_001.0 * 49.0));
        assert_eq!(row(70_002.0), row(f64::NAN));
    }

    #[test]
    fn a_categorical_column_that_does_not_exist_or_has_no_codes_is_refused() {
        let (columns, target) = data();
        for column in ["1", "2"] {
            let params = Params::new(&[("categorical_feature".to_owned(), column.to_owned())], 42).unwrap();
            let mut columns = columns.clone();
            columns[399] = -1.0;
            let refusal = Booster::train(&columns, 2, &target, &params, 1, || false).unwrap_err();
            assert!(matches!(&refusal, BoosterError::Codes(text) if text.contains(column)), "{refusal}");
        }
    }

    #[test]
    fn refuses_strange_shapes() {
        let (columns, target) = data();
        let booster = Booster::train(&columns, 2, &target, &params(), 1, || false).unwrap();
        assert!(booster.predict(&columns[..199], 199).is_err());
    }
}
