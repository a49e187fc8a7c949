//! A forecast beside what was sold, in the terminal and as SVG.

use std::path::Path;

use plotters::prelude::{
    BLACK, ChartBuilder, IntoDrawingArea, LineSeries, PathElement, RGBColor, SVGBackend, SeriesLabelPosition,
    WHITE,
};
use plotters::style::Color;
use retailcast_core::Day;
use textplots::{Chart, Plot, Shape};

/// What is drawn: the end of a history with what came after it, and forecasts of the days after `origin`.
#[derive(Debug)]
pub(super) struct Picture<'a> {
    pub(super) title: String,
    /// Day of the first value of `sold`.
    pub(super) start: Day,
    pub(super) origin: Day,
    pub(super) sold: Vec<f64>,
    pub(super) forecasts: Vec<(&'a str, &'a [f64])>,
}

type Points = Vec<(f32, f32)>;

impl Picture<'_> {
    fn sold_points(&self) -> Points {
        self.sold.iter().enumerate().map(|(i, y)| (i as f32, *y as f32)).collect()
    }

    fn forecast_points(&self, points: &[f64]) -> Points {
        let first = (self.origin - self.start + 1) as f32;
        points.iter().enumerate().map(|(j, y)| (first + j as f32, *y as f32)).collect()
    }

    fn highest(&self) -> f32 {
        let all = self.sold.iter().chain(self.forecasts.iter().flat_map(|(_, points)| *points));
        all.copied().fold(1.0, f64::max) as f32
    }

    /// The first forecast against what was sold, in characters.
    pub(super) fn terminal(&self) -> String {
        let sold = self.sold_points();
        let Some((model, points)) = self.forecasts.first() else { return String::new() };
        let forecast = self.forecast_points(points);
        let last = (self.sold.len() - 1) as f32;
        let mut chart = Chart::new_with_y_range(160, 50, 0.0, last, 0.0, self.highest());
        let (line, dots) = (Shape::Lines(&sold), Shape::Points(&forecast));
        let chart = chart.lineplot(&line).lineplot(&dots);
        chart.axis();
        chart.figures();
        let text = chart.to_string();
        let end = self.start + (self.sold.len() as i32 - 1);
        format!(
            "{}\nline: sold {} to {end}; dots: {model} from {}\n{text}",
            self.title,
            self.start,
            self.origin + 1
        )
    }

    /// All forecasts against what was sold.
    pub(super) fn svg(&self, path: &Path) -> Result<(), String> {
        let colours = [
            RGBColor(214, 39, 40),
            RGBColor(31, 119, 180),
            RGBColor(44, 160, 44),
            RGBColor(255, 127, 14),
            RGBColor(148, 103, 189),
            RGBColor(140, 86, 75),
            RGBColor(227, 119, 194),
            RGBColor(127, 127, 127),
            RGBColor(188, 189, 34),
            RGBColor(23, 190, 207),
        ];
        let mut text = String::new();
        {
            let root = SVGBackend::with_string(&mut text, (1000, 480)).into_drawing_area();
            let failed = |e: &dyn std::fmt::Display| format!("cannot draw {}: {e}", path.display());
            root.fill(&WHITE).map_err(|e| failed(&e))?;
            let mut chart = ChartBuilder::on(&root)
                .caption(&self.title, ("sans-serif", 20))
                .margin(12)
                .x_label_area_size(32)
                .y_label_area_size(56)
                .build_cartesian_2d(0.0_f32..(self.sold.len() - 1) as f32, 0.0..self.highest() * 1.05)
                .map_err(|e| failed(&e))?;
            let start = self.start;
            chart
                .configure_mesh()
                .light_line_style(WHITE)
                .x_label_formatter(&|x| (start + *x as i32).to_string())
                .y_desc("units per day")
                .draw()
                .map_err(|e| failed(&e))?;
            let mut line = |name: &str, points: Points, colour: RGBColor, width: u32| {
                chart
                    .draw_series(LineSeries::new(points, colour.stroke_width(width)))
                    .map(|series| {
                        series.label(name).legend(move |(x, y)| {
                            PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2))
                        });
                    })
                    .map_err(|e| failed(&e))
            };
            line("sold", self.sold_points(), RGBColor(60, 60, 60), 2)?;
            for ((model, points), colour) in self.forecasts.iter().zip(colours.into_iter().cycle()) {
                line(model, self.forecast_points(points), colour, 2)?;
            }
            chart
                .configure_series_labels()
                .position(SeriesLabelPosition::UpperLeft)
                .background_style(WHITE.mix(0.8))
                .border_style(BLACK.mix(0.3))
                .draw()
                .map_err(|e| failed(&e))?;
            root.present().map_err(|e| failed(&e))?;
        }
        std::fs::write(path, text).map_err(|e| format!("cannot write {}: {e}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_both_pictures() {
        let picture = Picture {
            title: "B02 P101".to_owned(),
            start: Day(19_000),
            origin: Day(19_010),
            sold: (0..15).map(f64::from).collect(),
            forecasts: vec![("naive", &[10.0; 4]), ("other", &[11.0; 4])],
        };
        let text = picture.terminal();
        assert!(text.contains("B02 P101") && text.contains("naive from"), "{text}");
        // U+2800 is the empty braille cell: something must be drawn.
        let drawn = text.chars().filter(|c| ('\u{2801}'..='\u{28ff}').contains(c)).count();
        assert!(drawn > 20, "{text}");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.svg");
        picture.svg(&file).unwrap();
        let svg = std::fs::read_to_string(file).unwrap();
        assert!(svg.starts_with("<svg") && svg.contains("naive") && svg.contains("2022-01-0"), "{svg}");
    }
}
