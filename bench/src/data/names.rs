//! Names, places and merchants; about a third have letters that mojibake can garble.

pub const FIRST: [&str; 32] = [
    "Anna", "José", "Oliver", "Zoë", "Priya", "Søren", "Grace", "Łukasz", "Hannah", "Renée", "Mehmet",
    "Björn", "Chloe", "André", "Fatima", "Jürgen", "Daniel", "Márta", "Samuel", "Noémie", "Ibrahim", "Ana",
    "Martin", "Wei", "Elena", "Patrick", "Yuki", "Tomás", "Laura", "Kwame", "Ingrid", "Ravi",
];

pub const LAST: [&str; 32] = [
    "Müller",
    "Kowalski",
    "García",
    "O'Brien",
    "Nguyen",
    "Søndergaard",
    "Patel",
    "Nováková",
    "Smith",
    "Fernández",
    "Yilmaz",
    "Lindström",
    "Okafor",
    "Rossi",
    "Dubois",
    "Hernández",
    "Jones",
    "Weiss",
    "Kovács",
    "Tanaka",
    "Martin",
    "Grün",
    "Silva",
    "Haddad",
    "Mensah",
    "Bjørk",
    "Clarke",
    "Ivanova",
    "Moreau",
    "Schäfer",
    "Costa",
    "Reid",
];

pub const PLACES: [&str; 32] = [
    "Leeds",
    "Zürich",
    "Málaga",
    "Bristol",
    "København",
    "Lyon",
    "São Paulo",
    "Kraków",
    "Dublin",
    "Düsseldorf",
    "Porto",
    "Cardiff",
    "Göteborg",
    "Utrecht",
    "Gdańsk",
    "Belfast",
    "Genève",
    "Milan",
    "Córdoba",
    "Glasgow",
    "Tromsø",
    "Brno",
    "Malmö",
    "Oxford",
    "Liège",
    "Tallinn",
    "Bern",
    "Galway",
    "Łódź",
    "Turin",
    "Exeter",
    "Nîmes",
];

pub const MERCHANTS: [&str; 20] = [
    "Café Élan",
    "Smith & Sons",
    "Harbour Books",
    "Bäckerei Lang",
    "Green & Co",
    "Norte Viajes",
    "Corner Deli",
    "Piñata Toys",
    "North Cycles",
    "Maison Rêve",
    "Lakeside Garage",
    "Blå Bølge",
    "City Lock",
    "Old Mill Inn",
    "Crème & Co",
    "Star Cabs",
    "Pier Nine",
    "Olive Tree",
    "Quick Print",
    "Río Market",
];

pub const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// In lower case and without accents, as in an email address.
pub fn ascii(name: &str) -> String {
    name.chars()
        .filter_map(|character| {
            Some(match character.to_lowercase().next()? {
                'a'..='z' => character.to_ascii_lowercase(),
                'é' | 'è' | 'ë' | 'ê' => 'e',
                'á' | 'ä' | 'ã' | 'å' => 'a',
                'ö' | 'ø' | 'ó' => 'o',
                'ü' | 'ú' => 'u',
                'í' => 'i',
                'ł' => 'l',
                _ => return None,
            })
        })
        .collect()
}
