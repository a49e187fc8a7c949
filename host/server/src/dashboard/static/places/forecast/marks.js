// Holidays and promotions of a series, from its features: what models are told is what the plot shows.
import { useEffect, useState } from '../../lib/html.js';
import { api } from '../../lib/api.js';
import { daysBetween, toDay } from '../../lib/format.js';

const CALENDAR = Object.fromEntries(['day_of_week', 'month', 'quarter', 'year', 'is_weekend', 'is_month_end'].map((name) => [`include_${name}`, false]));
/** Features say what was active the day before. */
const LAG = 1;

export function useMarks({ store, product, from, to }) {
  const [marks, update] = useState(null);
  useEffect(() => {
    let gone = false;
    const config = {
      name: 'dashboard', calendar_config: CALENDAR,
      promotion_config: { kinds_to_track: ['pct_off', 'bogo', 'bundle', 'markdown'], include_intensity: false, lag_days: LAG },
    };
    const asked = { store_id: Number(store), product_id: Number(product), cutoff_date: to, lookback_days: Math.max(1, Math.min(1095, daysBetween(from, to))), config };
    api.post('/featuresets/compute', asked).then(({ rows }) => {
      const promoted = ({ features }) => Object.entries(features).some(([name, value]) => name.startsWith('promo_') && value === 1);
      if (!gone) update({ holidays: rows.filter((r) => r.features.is_holiday === 1).map((r) => toDay(r.date)), promotions: rows.filter(promoted).map((r) => toDay(r.date) - LAG) });
    }, () => {
      // A series without rows has no features; the plot's own request says so.
      if (!gone) update(null);
    });
    return () => { gone = true; };
  }, [store, product, from, to]);
  return marks;
}
