//! Every member and every constraint of every served request, walked from the service model: what the model allows is
//! accepted, what it forbids is refused in AWS' words.

use crate::shapes::{Model, Shape, lower_first};
use serde_json::{Value, json};
use wire::{AwsError, Call, Operation, Protocol, Request};

fn decode(operation: &str, body: &Value) -> Result<(), AwsError> {
    let operation = Operation::from_name(operation).unwrap();
    let body = serde_json::to_vec(body).unwrap();
    Request::decode(Call { operation, protocol: Protocol::Json }, &body).map(|request| {
        assert_eq!(request.operation(), operation);
    })
}

/// One member somewhere in a request: how to get at it and what AWS calls it.
struct Place<'m> {
    operation: &'m str,
    pointer: String,
    path: String,
    shape: Shape<'m>,
    is_required: bool,
}

/// All places of a request.
fn places<'m>(operation: &'m str, structure: Shape<'m>, pointer: &str, path: &str, found: &mut Vec<Place<'m>>) {
    for (name, shape) in structure.members() {
        let pointer = format!("{pointer}/{name}");
        let path = format!("{path}{}", lower_first(name));
        match shape.kind() {
            "structure" => places(operation, shape, &pointer, &format!("{path}."), found),
            "list" => places(operation, shape.member(), &format!("{pointer}/0"), &format!("{path}.1.member."), found),
            _ => {}
        }
        let is_required = structure.requires(name);
        found.push(Place { operation, pointer, path, shape, is_required });
    }
}

fn all_places(model: &Model) -> Vec<(Value, Place<'_>)> {
    let mut all = Vec::new();
    for (operation, input, _) in model.served() {
        let mut found = Vec::new();
        places(operation, model.shape(input), "", "", &mut found);
        all.extend(found.into_iter().map(|place| (model.shape(input).sample(), place)));
    }
    assert!(all.len() > 60, "{}", all.len());
    all
}

impl Place<'_> {
    fn with(&self, request: &Value, value: Value) -> Value {
        let mut request = request.clone();
        *request.pointer_mut(&self.pointer).unwrap() = value;
        request
    }

    fn accepts(&self, request: &Value, value: Value) {
        let result = decode(self.operation, &self.with(request, value));
        assert_eq!(result, Ok(()), "{} {}", self.operation, self.path);
    }

    fn refuses(&self, request: &Value, value: Value, constraint: &str) {
        let error = decode(self.operation, &self.with(request, value))
            .expect_err(&format!("{} {} violates {constraint}", self.operation, self.path));
        assert_eq!((error.code(), error.status().as_u16()), ("ValidationException", 400));
        let message = error.message().unwrap();
        assert!(
            message.contains(&format!("at '{}' failed to satisfy constraint: {constraint}", self.path)),
            "{} {}: {message}",
            self.operation,
            self.path
        );
    }
}

#[test]
fn the_operations_are_those_of_the_model_and_the_served_ones_are_decodable() {
    let model = Model::load();
    let names: Vec<_> = Operation::ALL.iter().map(|operation| operation.name()).collect();
    assert_eq!(names, model.all_operations());
    let mut served: Vec<_> = Request::SERVED.iter().map(|operation| operation.name()).collect();
    served.sort_unstable();
    assert_eq!(served, model.served().map(|(name, ..)| name).collect::<Vec<_>>());
}

#[test]
fn an_operation_that_is_not_served_says_so() {
    for &operation in Operation::ALL {
        let result = Request::decode(Call { operation, protocol: Protocol::Json }, b"{}");
        let is_refused = result.as_ref().is_err_and(|error| error.code() == "UnknownOperationException");
        assert_eq!(is_refused, !Request::SERVED.contains(&operation), "{operation:?}: {result:?}");
    }
}

#[test]
fn a_request_with_every_member_is_accepted_and_so_are_excess_members() {
    let model = Model::load();
    for (operation, input, _) in model.served() {
        let mut request = model.shape(input).sample();
        assert_eq!(decode(operation, &request), Ok(()), "{operation}");
        request["Excess"] = json!({"deep": [1, null, {"x": "y"}]});
        assert_eq!(decode(operation, &request), Ok(()), "{operation}");
    }
}

#[test]
fn an_absent_or_null_member_is_refused_exactly_if_it_is_required() {
    let model = Model::load();
    for (request, place) in all_places(&model) {
        let (parent, name) = place.pointer.rsplit_once('/').unwrap();
        let mut absent = request.clone();
        absent.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
        let null = place.with(&request, Value::Null);
        for request in [absent, null] {
            let message = decode(place.operation, &request).err().map(|error| error.message().unwrap().to_owned());
            let expected = format!(
                "1 validation error detected: Value null at '{}' failed to satisfy constraint: Member must not be null",
                place.path
            );
            assert_eq!(message, place.is_required.then_some(expected), "{} {}", place.operation, place.path);
        }
    }
}

#[test]
fn texts_are_held_to_length_pattern_and_values() {
    let model = Model::load();
    for (request, place) in all_places(&model).iter().filter(|(_, place)| place.shape.kind() == "string") {
        if let Some(min @ 1..) = place.shape.min() {
            place.refuses(request, json!(""), &format!("Member must have length greater than or equal to {min}"));
        }
        if let Some(max) = place.shape.max().and_then(|max| usize::try_from(max).ok()) {
            let sample = place.shape.sample_text();
            let longest = sample.clone() + &"a".repeat(max - sample.len());
            place.accepts(request, json!(longest));
            place.refuses(
                request,
                json!(longest + "a"),
                &format!("Member must have length less than or equal to {max}"),
            );
        }
        if let Some(pattern) = place.shape.pattern() {
            let constraint = format!("Member must satisfy regular expression pattern: {pattern}");
            place.refuses(request, json!("not that!"), &constraint);
        }
        for value in place.shape.values() {
            place.accepts(request, json!(value));
        }
        if let [first, ..] = place.shape.values()[..] {
            let refused = format!("{first}X");
            place.refuses(request, json!(refused), "Member must satisfy enum value set: [");
            let error = decode(place.operation, &place.with(request, json!(refused))).unwrap_err();
            let (_, listed) = error.message().unwrap().split_once("enum value set: [").unwrap();
            let mut listed: Vec<_> = listed.trim_end_matches(']').split(", ").collect();
            let mut values = place.shape.values();
            listed.sort_unstable();
            values.sort_unstable();
            assert_eq!(listed, values);
        }
    }
}

#[test]
fn integers_are_held_to_their_range() {
    let model = Model::load();
    for (request, place) in all_places(&model).iter().filter(|(_, place)| place.shape.kind() == "integer") {
        let below = |min: i64| format!("Member must have value greater than or equal to {min}");
        let above = |max: i64| format!("Member must have value less than or equal to {max}");
        match place.shape.min() {
            Some(min) => {
                place.accepts(request, json!(min));
                place.refuses(request, json!(min - 1), &below(min));
                place.refuses(request, json!(i64::MIN), &below(min));
                place.refuses(request, json!(-1e300), &below(min));
            }
            None => place.accepts(request, json!(-1)),
        }
        match place.shape.max() {
            Some(max) => {
                place.accepts(request, json!(max));
                place.refuses(request, json!(max + 1), &above(max));
                place.refuses(request, json!(u64::MAX), &above(max));
                place.refuses(request, json!(1e300), &above(max));
            }
            None => place.accepts(request, json!(u64::MAX)),
        }
    }
}

#[test]
fn blobs_lists_and_maps_are_held_to_their_length() {
    let model = Model::load();
    for (request, place) in &all_places(&model) {
        let max = place.shape.max();
        match place.shape.kind() {
            "blob" => {
                let max = usize::try_from(max.unwrap()).unwrap();
                let base64 = |length: usize| json!(base64_simd::STANDARD.encode_to_string(vec![0; length]));
                place.accepts(request, base64(0));
                place.accepts(request, base64(max));
                let constraint = format!("Member must have length less than or equal to {max}");
                place.refuses(request, base64(max + 1), &constraint);
            }
            "list" => {
                let max = usize::try_from(max.unwrap()).unwrap();
                let list = |length: usize| Value::Array(vec![place.shape.member().sample(); length]);
                place.refuses(request, list(0), "Member must have length greater than or equal to 1");
                place.accepts(request, list(max));
                for length in [max + 1, max + 100] {
                    let constraint = format!("Member must have length less than or equal to {max}");
                    place.refuses(request, list(length), &constraint);
                }
            }
            "map" => check_map(request, place),
            _ => {}
        }
    }
}

fn check_map(request: &Value, place: &Place<'_>) {
    let max = place.shape.max().unwrap();
    let map = |length: i64| (0..length).map(|index| (format!("k{index}"), json!("v"))).collect::<Value>();
    place.refuses(request, map(0), "Member must have length greater than or equal to 1");
    place.accepts(request, map(max));
    place.refuses(request, map(max + 1), &format!("Member must have length less than or equal to {max}"));
    let bounds = |shape: Shape<'_>| {
        let (min, max) = (shape.min().unwrap(), shape.max().unwrap());
        format!(
            "satisfy constraint: [Member must have length less than or equal to {max}, Member must have length greater \
             than or equal to {min}]"
        )
    };
    let long = |shape: Shape<'_>, excess: i64| "é".repeat(usize::try_from(shape.max().unwrap() + excess).unwrap());
    let (key, value) = (place.shape.key(), place.shape.value());
    place.accepts(request, json!({ long(key, 0): long(value, 0) }));
    place.refuses(request, json!({ "": "v" }), &format!("Map keys must {}", bounds(key)));
    place.refuses(request, json!({ long(key, 1): "v" }), &format!("Map keys must {}", bounds(key)));
    place.refuses(request, json!({ "k": long(value, 1) }), &format!("Map value must {}", bounds(value)));
}

#[test]
fn a_value_of_another_type_is_refused_in_the_words_of_the_parser() {
    const LIST: &str = "Start of list found where not expected";
    const MAP: &str = "Start of structure or map found where not expected.";
    let model = Model::load();
    for (request, place) in &all_places(&model) {
        let scalar = |wanted: &str, tokens: &[(Value, &str)]| {
            let mut cases = vec![(json!([]), LIST.to_owned()), (json!({}), MAP.to_owned())];
            for (value, token) in tokens {
                cases.push((value.clone(), format!("{token} can not be converted to {wanted}")));
            }
            cases
        };
        let booleans = [(json!(true), "TRUE_VALUE"), (json!(false), "FALSE_VALUE")];
        let numbers = [(json!(23), "NUMBER_VALUE"), (json!(-2.5), "NUMBER_VALUE")];
        let strings = [(json!("23"), "STRING_VALUE")];
        let compound = |sentence: &str, other: Value, start: &str| {
            let scalars = [json!("23"), json!(true), json!(23), json!(-23), json!(34.56)];
            let mut cases = vec![(other, start.to_owned())];
            cases.extend(scalars.into_iter().map(|value| (value, sentence.to_owned())));
            cases
        };
        let cases = match place.shape.kind() {
            "string" => scalar("a String", &[&booleans[..], &numbers].concat()),
            "blob" => scalar("a Blob", &[&booleans[..], &numbers].concat()),
            "integer" => scalar("an Integer", &[&booleans[..], &strings].concat()),
            "timestamp" => scalar("milliseconds since epoch", &[&booleans[..], &strings].concat()),
            "boolean" => {
                let mut cases = scalar("a Boolean", &numbers);
                cases.extend(scalar("an Boolean", &strings).into_iter().skip(2));
                cases
            }
            "list" => compound("Expected list or null", json!({}), MAP),
            "map" => compound("Expected map or null", json!([]), LIST),
            "structure" => compound("Expected null", json!([]), LIST),
            other => panic!("{other}"),
        };
        for (value, message) in cases {
            let error = decode(place.operation, &place.with(request, value.clone())).unwrap_err();
            let found = (error.code(), error.message(), error.status().as_u16());
            let expected = ("SerializationException", Some(&*message), 400);
            assert_eq!(found, expected, "{} {} {value}", place.operation, place.path);
        }
    }
}
