//! What stores, products and promotions are called.

/// First halves of store names.
pub(super) const PLACES: [&str; 20] = [
    "Maple",
    "Riverside",
    "Lakeview",
    "Hillcrest",
    "Oakwood",
    "Harbor",
    "Sunset",
    "Cedar",
    "Parkside",
    "Meadow",
    "Northgate",
    "Southport",
    "Eastfield",
    "Westbrook",
    "Pine Ridge",
    "Stonebridge",
    "Fairview",
    "Brookside",
    "Central",
    "Grand",
];

/// Second halves.
pub(super) const SHOPS: [&str; 10] =
    ["Market", "Grocers", "Foods", "Corner", "Plaza", "Pantry", "Mart", "Provisions", "Store", "Center"];

/// Where they stand.
pub(super) const CITIES: [&str; 20] = [
    "New York",
    "Los Angeles",
    "Chicago",
    "Houston",
    "Phoenix",
    "Philadelphia",
    "San Antonio",
    "San Diego",
    "Dallas",
    "Austin",
    "Jacksonville",
    "Columbus",
    "Charlotte",
    "Indianapolis",
    "Seattle",
    "Denver",
    "Boston",
    "Nashville",
    "Portland",
    "Atlanta",
];

/// Middle parts of product names.
pub(super) const ADJECTIVES: [&str; 20] = [
    "Classic", "Organic", "Fresh", "Golden", "Crispy", "Smooth", "Natural", "Light", "Rich", "Sweet",
    "Original", "Tasty", "Pure", "Family", "Select", "Country", "Royal", "Simple", "Bold", "Mild",
];

/// What products of a category are.
pub(super) fn nouns(category: &str) -> &'static [&'static str; 10] {
    match category {
        "Beverage" => &BEVERAGES,
        "Snack" => &SNACKS,
        "Dairy" => &DAIRY,
        "Frozen" => &FROZEN,
        "Produce" => &PRODUCE,
        "Bakery" => &BAKERY,
        _ => &GENERIC,
    }
}

const BEVERAGES: [&str; 10] = [
    "Cola",
    "Lemonade",
    "Iced Tea",
    "Orange Juice",
    "Coffee",
    "Water",
    "Apple Juice",
    "Ginger Ale",
    "Energy Drink",
    "Green Tea",
];
const SNACKS: [&str; 10] = [
    "Chips",
    "Pretzels",
    "Crackers",
    "Popcorn",
    "Nuts",
    "Cookies",
    "Granola Bar",
    "Trail Mix",
    "Rice Cakes",
    "Jerky",
];
const DAIRY: [&str; 10] = [
    "Milk",
    "Yogurt",
    "Butter",
    "Cheddar",
    "Cream",
    "Cottage Cheese",
    "Mozzarella",
    "Kefir",
    "Sour Cream",
    "Pudding",
];
const FROZEN: [&str; 10] = [
    "Pizza",
    "Ice Cream",
    "Peas",
    "Fries",
    "Waffles",
    "Lasagna",
    "Berries",
    "Fish Sticks",
    "Dumplings",
    "Sorbet",
];
const PRODUCE: [&str; 10] = [
    "Apples", "Bananas", "Carrots", "Tomatoes", "Lettuce", "Potatoes", "Grapes", "Peppers", "Onions",
    "Oranges",
];
const BAKERY: [&str; 10] =
    ["Bread", "Bagels", "Croissant", "Muffins", "Rolls", "Cake", "Baguette", "Donuts", "Pie", "Tortillas"];
const GENERIC: [&str; 10] = ["Pack", "Box", "Bottle", "Jar", "Bag", "Can", "Set", "Bundle", "Tray", "Carton"];

/// What promotions are called.
pub(super) const PROMOTIONS: [&str; 8] = [
    "Weekly Special",
    "Flash Sale",
    "Weekend Deal",
    "Member Offer",
    "Seasonal Sale",
    "Manager's Choice",
    "Super Saver",
    "Price Drop",
];

/// What markdowns are called.
pub(super) const MARKDOWN: &str = "Clearance";
