//! Plots, as SVG.

use crate::figures::Figure;
use plotters::prelude::*;
use std::error::Error;

/// A plot of one item: what is on which axis, and whose curves.
pub struct Plot {
    /// The name of the file.
    pub name: &'static str,
    title: &'static str,
    x: &'static str,
    items: &'static [&'static str],
    leave_out: &'static [&'static str],
}

/// Every plot.
pub const PLOTS: [Plot; 3] = [
    Plot {
        name: "close",
        title: "Close of a listener that holds N connections",
        x: "N",
        items: &["3 close, beside clone"],
        leave_out: &[],
    },
    Plot {
        name: "select",
        title: "Select in a group",
        x: "members",
        items: &["4 select"],
        leave_out: &["rskq, every member"],
    },
    Plot {
        name: "leave",
        title: "Leave a group and join it again",
        x: "members",
        items: &["4 leave and join"],
        leave_out: &["rskq, every member"],
    },
];

const COLOURS: [RGBColor; 5] = [
    RGBColor(9, 105, 218),
    RGBColor(26, 127, 55),
    RGBColor(207, 34, 46),
    RGBColor(130, 80, 223),
    RGBColor(87, 96, 106),
];

/// The curves of a plot: whose, and its points.
type Curves = Vec<(String, Vec<(f64, f64)>)>;

impl Plot {
    fn curves(&self, figures: &[Figure]) -> Curves {
        let mut curves = Curves::new();
        for figure in figures.iter().filter(|figure| self.items.contains(&figure.item.as_str())) {
            let (Ok(x), Some(ns)) = (figure.case.parse::<f64>(), figure.spread()) else { continue };
            if self.leave_out.contains(&figure.who.as_str()) {
                continue;
            }
            match curves.iter_mut().find(|(who, _)| *who == figure.who) {
                Some((_, points)) => points.push((x, ns.median)),
                None => curves.push((figure.who.clone(), vec![(x, ns.median)])),
            }
        }
        curves
    }

    /// Draws the plot; `None` if nothing of it was measured.
    ///
    /// # Errors
    ///
    /// What cannot be drawn.
    pub fn draw(&self, figures: &[Figure]) -> Result<Option<String>, Box<dyn Error>> {
        let curves = self.curves(figures);
        let points = || curves.iter().flat_map(|(_, points)| points);
        let Some(widest) = points().map(|point| point.0).reduce(f64::max) else { return Ok(None) };
        let lowest = points().map(|point| point.1).fold(f64::MAX, f64::min);
        let highest = points().map(|point| point.1).fold(0.0, f64::max);
        let mut text = String::new();
        {
            let area = SVGBackend::with_string(&mut text, (720, 420)).into_drawing_area();
            area.fill(&WHITE)?;
            let mut chart = ChartBuilder::on(&area)
                .caption(self.title, ("sans-serif", 20))
                .margin(12)
                .x_label_area_size(40)
                .y_label_area_size(70)
                .build_cartesian_2d(
                    (1.0..widest * 1.2).log_scale(),
                    (lowest / 2.0..highest * 2.0).log_scale(),
                )?;
            chart.configure_mesh().x_desc(self.x).y_desc("ns").light_line_style(WHITE).draw()?;
            for ((who, points), colour) in curves.iter().zip(COLOURS) {
                chart
                    .draw_series(
                        LineSeries::new(points.iter().copied(), colour.stroke_width(2)).point_size(3),
                    )?
                    .label(who.as_str())
                    .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
            }
            let place = SeriesLabelPosition::UpperLeft;
            chart.configure_series_labels().position(place).background_style(WHITE.mix(0.8)).draw()?;
            area.present()?;
        }
        Ok(Some(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_for_each_contender() {
        let figure = |case: &str, who: &str, ns| Figure {
            item: "4 select".into(),
            case: case.into(),
            who: who.into(),
            ns: vec![ns],
        };
        let figures = [figure("1", "rskq", 5.0), figure("16", "rskq", 5.0), figure("1", "linear scan", 2.0)];
        let text = PLOTS[1].draw(&figures).unwrap().unwrap();
        assert!(text.contains("linear scan") && text.contains("rskq"));
        assert!(PLOTS[0].draw(&figures).unwrap().is_none());
    }
}
