//! Where sales are made (`seeder.md` §7.8).

use super::Stream;

/// A channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// Ordered online, fetched from the store.
    ClickCollect,
    /// In the store.
    InStore,
    /// Delivered.
    Online,
    /// To other shops.
    Wholesale,
}

impl Channel {
    /// All, sorted by name.
    pub const ALL: [Self; 4] = [Self::ClickCollect, Self::InStore, Self::Online, Self::Wholesale];

    /// Its name on the wire and in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::ClickCollect => "click_collect",
            Self::InStore => "in_store",
            Self::Online => "online",
            Self::Wholesale => "wholesale",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.name() == name)
    }
}

/// How sales are spread over channels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChannelOptions {
    /// Weight of each of [`Channel::ALL`]; their sum is positive.
    pub mix: [f64; 4],
    /// Quantity factor of online rows on promotion days.
    pub online_promo_uplift: f64,
    /// What moves from the store to online on promotion days, as a share of the weight of online.
    pub online_substitution_to_instore: f64,
}

impl ChannelOptions {
    /// Channel of a row and the factor on its quantity.
    pub(super) fn draw(&self, stream: &mut Stream, promoted: bool) -> (Channel, f64) {
        let mut mix = self.mix;
        if promoted {
            let (store, online) = (Channel::InStore as usize, Channel::Online as usize);
            // The weight of a channel that is not in the mix is 0, and nothing moves. What moves is there before.
            let moved = (mix[online] * self.online_substitution_to_instore).min(mix[store]);
            mix[store] -= moved;
            mix[online] += moved;
        }
        let channel = Channel::ALL[stream.weighted(&mix)];
        let uplifted = promoted && channel == Channel::Online;
        (channel, if uplifted { self.online_promo_uplift } else { 1.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share_online(options: &ChannelOptions, promoted: bool) -> f64 {
        let mut stream = Stream::of(42, "channel", &[]);
        let online = (0..20_000).filter(|_| options.draw(&mut stream, promoted).0 == Channel::Online);
        online.count() as f64 / 20_000.0
    }

    #[test]
    fn shares_and_the_shift_on_promotion_days() {
        let mut options = ChannelOptions {
            mix: [0.1, 0.7, 0.2, 0.0],
            online_promo_uplift: 3.0,
            online_substitution_to_instore: 0.5,
        };
        // Binomial: √(p q / 20,000) is below 0.0036.
        let near = |found: f64, expected: f64| assert!((found - expected).abs() < 0.018, "{found}");
        near(share_online(&options, false), 0.2);
        near(share_online(&options, true), 0.3);
        options.mix = [0.0, 0.1, 0.9, 0.0];
        options.online_substitution_to_instore = 1.0;
        near(share_online(&options, true), 1.0);
        options.mix = [0.5, 0.0, 0.5, 0.0];
        near(share_online(&options, true), 0.5);
        let mut stream = Stream::of(1, "channel", &[]);
        for promoted in [false, true] {
            for _ in 0..50 {
                let (channel, factor) = options.draw(&mut stream, promoted);
                let expected = if promoted && channel == Channel::Online { 3.0 } else { 1.0 };
                assert!((factor - expected).abs() < f64::EPSILON);
            }
        }
        assert!(Channel::ALL.windows(2).all(|pair| pair[0].name() < pair[1].name()));
    }
}
