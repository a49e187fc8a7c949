//! Rows in PostgreSQL's text format of COPY: one line per row, tabs between columns. The values here are numbers, dates
//! and fixed words, so nothing has to be escaped.

use std::io::Write;

use retailcast_core::seeder::inventory::Stock;
use retailcast_core::seeder::sales::Sale;
use retailcast_core::seeder::{Cents, Window};

/// Writes lines of a window; every date is made once.
#[derive(Debug)]
pub(super) struct Lines {
    dates: Vec<String>,
}

impl Lines {
    pub(super) fn new(window: Window) -> Self {
        Self { dates: window.iter().map(|day| day.to_string()).collect() }
    }

    /// `store_id, product_id, date, on_hand_qty, on_order_qty, is_stockout`
    pub(super) fn stock(&self, text: &mut Vec<u8>, store: i32, product: i32, days: &[Stock]) {
        for (date, stock) in self.dates.iter().zip(days) {
            let out = if stock.is_stockout { 't' } else { 'f' };
            let (on_hand, on_order) = (stock.on_hand, stock.on_order);
            // Writing into a Vec cannot fail.
            let _ = writeln!(text, "{store}\t{product}\t{date}\t{on_hand}\t{on_order}\t{out}");
        }
    }

    /// `store_id, product_id, date, quantity, unit_price, total_amount, channel`
    pub(super) fn sales(&self, text: &mut Vec<u8>, store: i32, product: i32, sales: &[Sale]) {
        for sale in sales {
            let (date, quantity, channel) = (&self.dates[sale.day], sale.quantity, sale.channel.name());
            let (price, amount) = (Money(sale.price), Money(sale.price * Cents::from(quantity)));
            // Writing into a Vec cannot fail.
            let _ = writeln!(text, "{store}\t{product}\t{date}\t{quantity}\t{price}\t{amount}\t{channel}");
        }
    }
}

/// Cents as an amount; never negative here.
struct Money(Cents);

impl std::fmt::Display for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use retailcast_core::Day;
    use retailcast_core::seeder::channels::Channel;

    #[test]
    fn lines() {
        let lines = Lines::new(Window::new(Day(0), Day(1)).unwrap());
        let mut text = Vec::new();
        let sale = |day, price| Sale { day, quantity: 3, price, channel: Channel::Online };
        lines.sales(&mut text, 1, 2, &[sale(0, 5), sale(1, 1_999)]);
        let stock = |on_hand, on_order| Stock { on_hand, on_order, is_stockout: on_hand == 0 };
        lines.stock(&mut text, 1, 2, &[stock(0, 7), stock(500, 0)]);
        let expected = "1\t2\t1970-01-01\t3\t0.05\t0.15\tonline\n1\t2\t1970-01-02\t3\t19.99\t59.97\tonline\n\
                        1\t2\t1970-01-01\t0\t7\tt\n1\t2\t1970-01-02\t500\t0\tf\n";
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }
}
