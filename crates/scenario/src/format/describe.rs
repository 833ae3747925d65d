//! What the readers say of themselves: they are run without a document, and every question that they would
//! ask of one is written down as JSON Schema (draft 07, which editors' TOML plug-ins read).

use std::ops::{Bound, RangeBounds};

use serde_json::{Map, Value as Json, json};

/// A place in a document, as far as the readers have described it.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    /// What is said of it, once for each time that it is read.
    docs: Vec<String>,
    default: Option<Json>,
    /// What may be there: one of these.
    forms: Vec<Form>,
}

/// The number of a [`Shape`] in its [`Shapes`].
pub(super) type ShapeId = usize;

#[derive(Clone, Debug)]
enum Form {
    Leaf(Json),
    /// Its elements, and how many there may be.
    List(ShapeId, Map<String, Json>),
    /// What is there, under a name if it is described once for many places.
    Of(Option<&'static str>, ShapeId),
    Table(TableShape),
}

#[derive(Clone, Debug, Default)]
struct TableShape {
    keys: Vec<(&'static str, ShapeId)>,
    required: Vec<&'static str>,
    /// Of each group exactly one is there.
    one_of: Vec<Vec<&'static str>>,
    least: usize,
    /// What is under all other keys, and the words that those are.
    others: Option<(ShapeId, Option<Json>)>,
}

/// All places that were described. The first is the document.
#[derive(Debug, Default)]
pub(super) struct Shapes(Vec<Shape>);

impl Shapes {
    /// One more place.
    pub(super) fn add(&mut self) -> ShapeId {
        self.0.push(Shape::default());
        self.0.len() - 1
    }

    /// Something that `at` may be.
    pub(super) fn leaf(&mut self, at: ShapeId, schema: Json) {
        self.0[at].forms.push(Form::Leaf(schema));
    }

    /// `at` may be a list of so many; its elements.
    pub(super) fn list(&mut self, at: ShapeId, length: impl RangeBounds<usize>) -> ShapeId {
        let items = self.add();
        let mut limits = Map::new();
        if let Bound::Included(&least @ 1..) = length.start_bound() {
            limits.insert("minItems".to_owned(), least.into());
        }
        if let Bound::Included(&most) = length.end_bound() {
            limits.insert("maxItems".to_owned(), most.into());
        }
        self.0[at].forms.push(Form::List(items, limits));
        items
    }

    /// `at` may be what `what` is, and that has this name if it is described once for many places.
    pub(super) fn of(&mut self, at: ShapeId, name: Option<&'static str>, what: ShapeId) {
        self.0[at].forms.push(Form::Of(name, what));
    }

    /// A key of the table `at`, and what is said of it; where to describe its value.
    pub(super) fn key(&mut self, at: ShapeId, key: &'static str, doc: &str) -> ShapeId {
        let known = self.table_of(at).keys.iter().find(|(known, _)| *known == key).map(|(_, id)| *id);
        let id = known.unwrap_or_else(|| {
            let id = self.add();
            self.table_of(at).keys.push((key, id));
            id
        });
        let docs = &mut self.0[id].docs;
        if !doc.is_empty() && !docs.iter().any(|known| known == doc) {
            docs.push(doc.to_owned());
        }
        id
    }

    /// What `at` is where nothing is said.
    pub(super) fn default(&mut self, at: ShapeId, default: Json) {
        self.0[at].default = Some(default);
    }

    /// That `key` has to be in the table `at`.
    pub(super) fn require(&mut self, at: ShapeId, key: &'static str) {
        let required = &mut self.table_of(at).required;
        if !required.contains(&key) {
            required.push(key);
        }
    }

    /// That exactly one of `keys` has to be in the table `at`.
    pub(super) fn one_of(&mut self, at: ShapeId, keys: Vec<&'static str>) {
        let groups = &mut self.table_of(at).one_of;
        if !groups.contains(&keys) {
            groups.push(keys);
        }
    }

    /// That the table `at` has at least so many keys.
    pub(super) fn at_least(&mut self, at: ShapeId, least: usize) {
        self.table_of(at).least = least;
    }

    /// All keys of the table `at` that have no description of their own; where to describe their values.
    pub(super) fn others(&mut self, at: ShapeId, words: Option<Json>) -> ShapeId {
        let id = self.add();
        self.table_of(at).others = Some((id, words));
        id
    }

    /// `at` may be a table.
    pub(super) fn table(&mut self, at: ShapeId) {
        self.table_of(at);
    }

    fn table_of(&mut self, at: ShapeId) -> &mut TableShape {
        let forms = &mut self.0[at].forms;
        let is_table = |form: &Form| matches!(form, Form::Table(_));
        let index = forms.iter().position(is_table).unwrap_or_else(|| {
            forms.push(Form::Table(TableShape::default()));
            forms.len() - 1
        });
        match &mut forms[index] {
            Form::Table(table) => table,
            Form::Leaf(_) | Form::List(..) | Form::Of(..) => unreachable!("the position is a table's"),
        }
    }

    /// The schema of the document.
    pub(super) fn schema(&self) -> Json {
        let mut definitions = Map::new();
        let mut schema = self.json(0, &mut definitions);
        schema["$schema"] = "http://json-schema.org/draft-07/schema#".into();
        schema["definitions"] = definitions.into();
        schema
    }

    fn json(&self, at: ShapeId, definitions: &mut Map<String, Json>) -> Json {
        let Shape { docs, default, forms } = &self.0[at];
        let mut each: Vec<Json> = Vec::new();
        for form in forms {
            let json = self.form_json(form, definitions);
            if !each.contains(&json) {
                each.push(json);
            }
        }
        let mut schema = match each.as_slice() {
            // Draft 07 ignores what is beside a `$ref`.
            [one] if one.get("$ref").is_some() && !(docs.is_empty() && default.is_none()) => {
                json!({ "allOf": [one] })
            }
            [one] => one.clone(),
            several => json!({ "anyOf": several }),
        };
        let mut docs = docs.clone();
        if let Some(default) = default {
            let shown = default.as_str().map_or_else(|| default.to_string(), str::to_owned);
            docs.push(format!("Default: {shown}."));
            schema["default"] = default.clone();
        }
        if !docs.is_empty() {
            schema["description"] = docs.join(" ").into();
        }
        schema
    }

    fn form_json(&self, form: &Form, definitions: &mut Map<String, Json>) -> Json {
        match form {
            Form::Leaf(json) => json.clone(),
            Form::List(items, limits) => {
                let mut list = json!({ "type": "array", "items": self.json(*items, definitions) });
                limits.iter().for_each(|(key, value)| list[key] = value.clone());
                list
            }
            Form::Of(None, id) => self.json(*id, definitions),
            Form::Of(Some(name), id) => {
                let json = self.json(*id, definitions);
                definitions.insert((*name).to_owned(), json);
                json!({ "$ref": format!("#/definitions/{name}") })
            }
            Form::Table(table) => self.table_json(table, definitions),
        }
    }

    fn table_json(&self, table: &TableShape, definitions: &mut Map<String, Json>) -> Json {
        let TableShape { keys, required, one_of, least, others } = table;
        let mut json = json!({ "type": "object", "additionalProperties": false });
        if !keys.is_empty() {
            let property = |(key, id): &(&str, ShapeId)| ((*key).to_owned(), self.json(*id, definitions));
            json["properties"] = keys.iter().map(property).collect::<Map<_, _>>().into();
        }
        if !required.is_empty() {
            json["required"] = json!(required);
        }
        if *least > 0 {
            json["minProperties"] = json!(least);
        }
        if let Some((id, words)) = others {
            json["additionalProperties"] = self.json(*id, definitions);
            if let Some(words) = words {
                json["propertyNames"] = words.clone();
            }
        }
        let group = |keys: &Vec<&str>| {
            let each: Vec<Json> = keys.iter().map(|key| json!({ "required": [key] })).collect();
            json!({ "oneOf": each })
        };
        match one_of.iter().map(group).collect::<Vec<_>>().as_slice() {
            [] => {}
            [one] => json["oneOf"] = one["oneOf"].clone(),
            several => json["allOf"] = several.into(),
        }
        json
    }
}
