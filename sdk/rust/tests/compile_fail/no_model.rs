struct NoModel;

retailcast_sdk::export_series_model!(NoModel);

fn main() {}
