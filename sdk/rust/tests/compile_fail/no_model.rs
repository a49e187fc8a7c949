struct NoModel;

retailcast_sdk::export!(NoModel as SeriesModel);

fn main() {}
