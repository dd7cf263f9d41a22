//! The check of an expression: what it may use, how large it may be, what it reads.

use std::collections::BTreeSet;

use cel::Program;
use cel::common::ast::{
    CallExpr, ComprehensionExpr, Expr, IdedExpr, ListExpr, LiteralValue, SelectExpr, SourceInfo,
    operators as op,
};

use super::names::{FUNCTIONS, OPERATORS, OURS, Variable};
use super::text::{at, place};
use super::{BRACKETS_MAX, DEPTH_MAX, Fault, Library, PARTS_MAX, TEXT_MAX};
use crate::mapping::language::nearest;

/// An expression that passed, with every field as a variable of its own.
#[derive(Debug)]
pub(super) struct Checked {
    pub tree: IdedExpr,
    /// What each variable reads, by its number.
    pub variables: Vec<Variable>,
    pub parts: usize,
    /// Whether it goes through a list.
    pub loops: bool,
    /// The bytes of its constants.
    pub constants: usize,
}

/// Checks an expression.
pub(super) fn check(text: &str, library: &Library) -> Result<Checked, Vec<Fault>> {
    if text.chars().count() > TEXT_MAX {
        return Err(vec![Fault {
            place: 0..text.len(),
            message: format!("the expression has more than {TEXT_MAX} characters"),
            help: "say it in a shorter one, or use a table and `lookup`".to_owned(),
        }]);
    }
    if let Some(place) = too_deep(text) {
        let message = format!(
            "brackets are nested more than {DEPTH_MAX} deep, or are more than {BRACKETS_MAX}"
        );
        let help = "say it in a flatter one".to_owned();
        return Err(vec![Fault { place, message, help }]);
    }
    let program = Program::compile(text).map_err(|errors| {
        let fault = |error: &cel::ParseError| Fault {
            place: at(text, error.pos),
            message: format!("this is no expression: {}", plain(&error.msg)),
            help: "see Expressions in the mapping reference".to_owned(),
        };
        errors.errors.iter().take(3).map(fault).collect::<Vec<_>>()
    })?;
    let mut checker = Checker {
        text,
        info: program.source_info(),
        library,
        variables: BTreeSet::new(),
        scope: Vec::new(),
        faults: Vec::new(),
        parts: 0,
        depth: 0,
        loops: false,
        constants: 0,
    };
    let mut tree = program.expression().clone();
    checker.expression(&tree);
    if checker.parts > PARTS_MAX {
        checker.fault(
            tree.id,
            format!("the expression has more than {PARTS_MAX} parts"),
            "say it in fewer",
        );
    }
    if !checker.faults.is_empty() {
        return Err(checker.faults);
    }
    let variables: Vec<Variable> = checker.variables.into_iter().collect();
    let (parts, loops, constants) = (checker.parts, checker.loops, checker.constants);
    name_variables(&mut tree, &variables, &mut Vec::new());
    Ok(Checked { tree, variables, parts, loops, constants })
}

/// Where brackets are nested too deep for the parser, which recurses with them. Brackets inside
/// constants count as well: nobody needs so many.
fn too_deep(text: &str) -> Option<std::ops::Range<usize>> {
    let mut depth: usize = 0;
    let mut all: usize = 0;
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' => (depth, all) = (depth + 1, all + 1),
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX || all > BRACKETS_MAX {
            return Some(at..at + c.len_utf8());
        }
    }
    None
}

/// The first line of a message of the parser.
fn plain(message: &str) -> String {
    message.lines().next().unwrap_or_default().chars().take(160).collect()
}

/// The name under which a variable is given to the evaluation.
pub(super) fn slot(number: usize) -> String {
    format!("#{number}")
}

struct Checker<'a> {
    text: &'a str,
    info: &'a SourceInfo,
    library: &'a Library,
    variables: BTreeSet<Variable>,
    scope: Vec<String>,
    faults: Vec<Fault>,
    parts: usize,
    depth: usize,
    loops: bool,
    constants: usize,
}

impl Checker<'_> {
    fn fault(&mut self, id: u64, message: impl Into<String>, help: impl Into<String>) {
        let place = place(self.info, id, self.text);
        self.faults.push(Fault { place, message: message.into(), help: help.into() });
    }

    fn expression(&mut self, expr: &IdedExpr) {
        self.parts += 1;
        match &expr.expr {
            Expr::Unspecified => self.fault(expr.id, "an empty expression", "write one"),
            Expr::Literal(value) => self.constants += size(value),
            Expr::Ident(name) => self.name(expr.id, name),
            Expr::List(ListExpr { elements, .. }) => {
                elements.iter().for_each(|element| self.expression(element));
            }
            Expr::Select(select) => self.select(expr.id, select),
            Expr::Call(call) => self.call(expr.id, call),
            Expr::Comprehension(comprehension) => self.comprehension(expr.id, comprehension),
            Expr::Map(_) | Expr::Struct(_) => self.fault(
                expr.id,
                "an expression has no maps",
                "put the values into `tables:` and use lookup('name', key)",
            ),
        }
    }

    fn name(&mut self, id: u64, name: &str) {
        if name.starts_with('@') || self.scope.iter().any(|known| known == name) {
            return;
        }
        if name == "old" {
            let help = "write `old.Field`: what the side that is written holds now";
            self.fault(id, "`old` is followed by a field", help);
            return;
        }
        self.variables.insert(Variable { field: name.into(), old: false });
    }

    fn select(&mut self, id: u64, select: &SelectExpr) {
        match of_record(&select.operand, &self.scope) {
            Some(old) if !select.test => {
                self.variables.insert(Variable { field: select.field.as_str().into(), old });
            }
            _ => self.fault(
                id,
                format!("`.{}` is no field: a value has no parts", select.field),
                "write a field by its name, or `old.Field`; compare with null for an empty one",
            ),
        }
    }

    fn call(&mut self, id: u64, call: &CallExpr) {
        if let Some((old, field)) = indexed(call, &self.scope) {
            self.variables.insert(Variable { field: field.into(), old });
            return;
        }
        let name = call.func_name.as_str();
        let given = call.args.len() + usize::from(call.target.is_some());
        let operator = OPERATORS.iter().any(|(known, count)| *known == name && *count == given);
        let function = FUNCTIONS.iter().find(|(known, ..)| *known == name);
        match function {
            Some((_, count, example)) if *count != given => {
                self.fault(
                    id,
                    format!("`{name}` takes {count} values, not {given}"),
                    format!("as in: {example}"),
                );
            }
            None if !operator => {
                let known = FUNCTIONS.iter().map(|(known, ..)| *known);
                let help = match nearest(name, known) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "see the list of functions in the mapping reference".to_owned(),
                };
                self.fault(id, format!("there is no function `{name}`"), help);
            }
            _ => self.constants_of(name, call),
        }
        call.target.iter().for_each(|target| self.expression(target));
        call.args.iter().for_each(|argument| self.expression(argument));
    }

    /// Tables, patterns and time zones are constants, so that a wrong one is found now.
    fn constants_of(&mut self, name: &str, call: &CallExpr) {
        let operands: Vec<&IdedExpr> =
            call.target.as_deref().into_iter().chain(&call.args).collect();
        let (at, what) = match name {
            "lookup" | "lookupOr" => (0, "the name of a table"),
            "matches" => (1, "a pattern"),
            "dateIn" | "timeIn" => (1, "a time zone"),
            "instantAt" => (2, "a time zone"),
            _ => return,
        };
        let Some(operand) = operands.get(at) else { return };
        let Expr::Literal(LiteralValue::String(text)) = &operand.expr else {
            self.fault(operand.id, format!("{what} is a constant here"), "write it in quotes");
            return;
        };
        if let Err((message, help)) = self.library.constant(name, text.inner()) {
            self.fault(operand.id, message, help);
        }
    }

    fn comprehension(&mut self, id: u64, it: &ComprehensionExpr) {
        self.loops = true;
        self.expression(&it.iter_range);
        if self.depth > 0 {
            self.fault(id, "a loop inside a loop", "go through one list at a time");
            return;
        }
        let outer = self.scope.len();
        self.scope.push(it.iter_var.clone());
        self.scope.extend(it.iter_var2.clone());
        self.scope.push(it.accu_var.clone());
        self.depth += 1;
        for part in [&it.accu_init, &it.loop_cond, &it.loop_step, &it.result] {
            self.expression(part);
        }
        self.depth -= 1;
        self.scope.truncate(outer);
    }
}

fn size(value: &LiteralValue) -> usize {
    match value {
        LiteralValue::String(text) => text.inner().len(),
        LiteralValue::Bytes(bytes) => bytes.inner().len(),
        _ => 8,
    }
}

/// Whether an expression names a record: `record`, the one the value comes from, or `old`.
fn of_record(expr: &IdedExpr, scope: &[String]) -> Option<bool> {
    let Expr::Ident(name) = &expr.expr else { return None };
    if scope.contains(name) {
        return None;
    }
    match name.as_str() {
        "old" => Some(true),
        "record" => Some(false),
        _ => None,
    }
}

/// `record['a field']` or `old['a field']`.
fn indexed<'e>(call: &'e CallExpr, scope: &[String]) -> Option<(bool, &'e str)> {
    if call.func_name != op::INDEX {
        return None;
    }
    let [record, field] = call.args.as_slice() else { return None };
    let Expr::Literal(LiteralValue::String(field)) = &field.expr else { return None };
    Some((of_record(record, scope)?, field.inner()))
}

/// Puts the number of its variable in the place of each field.
fn name_variables(expr: &mut IdedExpr, variables: &[Variable], scope: &mut Vec<String>) {
    let number = |field: &str, old: bool| {
        variables.iter().position(|known| &*known.field == field && known.old == old)
    };
    let read = match &expr.expr {
        Expr::Ident(name) if !scope.contains(name) => number(name, false),
        Expr::Select(select) => {
            of_record(&select.operand, scope).and_then(|old| number(&select.field, old))
        }
        Expr::Call(call) => indexed(call, scope).and_then(|(old, field)| number(field, old)),
        _ => None,
    };
    if let Some(number) = read {
        expr.expr = Expr::Ident(slot(number));
        return;
    }
    match &mut expr.expr {
        Expr::Call(call) => {
            // Our own functions take the value that they are called on as their first.
            if OURS.contains(&call.func_name.as_str())
                && let Some(target) = call.target.take()
            {
                call.args.insert(0, *target);
            }
            for part in call.target.as_deref_mut().into_iter().chain(&mut call.args) {
                name_variables(part, variables, scope);
            }
        }
        Expr::List(list) => {
            list.elements.iter_mut().for_each(|part| name_variables(part, variables, scope));
        }
        Expr::Comprehension(it) => {
            name_variables(&mut it.iter_range, variables, scope);
            let outer = scope.len();
            scope.push(it.iter_var.clone());
            scope.extend(it.iter_var2.clone());
            scope.push(it.accu_var.clone());
            for part in [&mut it.accu_init, &mut it.loop_cond, &mut it.loop_step, &mut it.result] {
                name_variables(part, variables, scope);
            }
            scope.truncate(outer);
        }
        _ => {}
    }
}
