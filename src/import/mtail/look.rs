//! Questions about statements: which metrics they declare, and whether they count anything.

use super::super::names;
use super::tree::{Declared, Expr, Kind, Stmt};

/// The metrics that are declared, with their lines.
pub(super) fn exported<'a>(list: &'a [Stmt], out: &mut Vec<(usize, &'a Declared)>) {
    for stmt in list {
        match &stmt.kind {
            Kind::Declare(declared) if !declared.hidden && declared.kind != "text" => {
                out.push((stmt.line, declared))
            }
            Kind::If(_, then, other) => {
                exported(then, out);
                exported(other.as_deref().unwrap_or_default(), out);
            }
            Kind::Otherwise(block) | Kind::Define(_, block) | Kind::Decorate(_, block) => {
                exported(block, out)
            }
            _ => {}
        }
    }
}

/// The program with counters that are set somewhere as the gauges that they are, and where those are declared.
pub(super) fn without_set_counters(mut program: Vec<Stmt>) -> (Vec<Stmt>, Vec<(usize, String)>) {
    let mut set = Vec::new();
    each(&mut program, &mut |stmt| {
        if let Kind::Do(Expr::Binary("=", target, _)) = &stmt.kind
            && let Expr::Name(name, _) = &**target
        {
            set.push(name.clone());
        }
    });
    let mut told = Vec::new();
    each(&mut program, &mut |stmt| {
        if let Kind::Declare(declared) = &mut stmt.kind
            && declared.kind == "counter"
            && !declared.hidden
            && set.contains(&declared.name)
        {
            declared.kind = "gauge".to_owned();
            told.push((stmt.line, declared.name.clone()));
        }
    });
    (program, told)
}

fn each(list: &mut [Stmt], look: &mut dyn FnMut(&mut Stmt)) {
    for stmt in list {
        look(stmt);
        match &mut stmt.kind {
            Kind::If(_, then, other) => {
                each(then, look);
                each(other.as_deref_mut().unwrap_or_default(), look);
            }
            Kind::Otherwise(block) | Kind::Define(_, block) | Kind::Decorate(_, block) => each(block, look),
            _ => {}
        }
    }
}

/// The name that mtail exports, whether it must change, and the name here.
pub(super) fn name_of(declared: &Declared) -> (String, bool, String) {
    // mtail itself writes an underscore for a dash.
    let old = declared.exported.as_ref().unwrap_or(&declared.name).replace('-', "_");
    let (name, changed) = names::metric(&old, &declared.kind);
    (old, changed, name)
}

/// Whether a block does anything that counts, or forgets what `remembered` says is remembered.
pub(super) fn has_effect(list: &[Stmt], remembered: &dyn Fn(&str) -> bool) -> bool {
    list.iter().any(|stmt| match &stmt.kind {
        Kind::Do(Expr::Call(name, _)) => name != "strptime" && name != "settime",
        Kind::Do(_) | Kind::Next | Kind::Stop => true,
        Kind::If(_, then, other) => {
            has_effect(then, remembered)
                || other.as_deref().is_some_and(|other| has_effect(other, remembered))
        }
        Kind::Otherwise(block) | Kind::Decorate(_, block) => has_effect(block, remembered),
        Kind::Delete(Expr::Name(name, _), None) => remembered(name),
        Kind::Delete(..) | Kind::Declare(_) | Kind::Const(..) | Kind::Define(..) => false,
    })
}

/// Whether a condition asks for the file's name.
pub(super) fn is_of_file(expr: &Expr) -> bool {
    matches!(expr, Expr::Binary("=~" | "==", left, _) if matches!(&**left, Expr::Call(name, _) if name == "getfilename"))
}

/// Whether an expression reads a variable of which `remembered` says that it is remembered.
pub(super) fn reads(expr: &Expr, remembered: &dyn Fn(&str) -> bool) -> bool {
    match expr {
        Expr::Name(name, keys) => remembered(name) || keys.iter().any(|key| reads(key, remembered)),
        Expr::Call(_, list) => list.iter().any(|inner| reads(inner, remembered)),
        Expr::Not(inner) | Expr::Step(_, inner) => reads(inner, remembered),
        Expr::Binary(_, left, right) => reads(left, remembered) || reads(right, remembered),
        Expr::Pattern(_)
        | Expr::Capture(_)
        | Expr::Text(_)
        | Expr::Number(_)
        | Expr::Elapsed
        | Expr::Kept(..) => false,
    }
}
