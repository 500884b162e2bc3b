//! What an mtail program says: declarations, conditions with their blocks, and actions.

/// A statement and its line.
#[derive(Clone, Debug)]
pub(super) struct Stmt {
    pub(super) line: usize,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Declare(Declared),
    /// `const NAME /…/`.
    Const(String, Vec<Part>),
    /// A condition, its block, and the block of its `else`.
    If(Expr, Vec<Stmt>, Option<Vec<Stmt>>),
    Otherwise(Vec<Stmt>),
    Define(String, Vec<Stmt>),
    Decorate(String, Vec<Stmt>),
    Next,
    Stop,
    /// `del` of a variable, and after which time without a change.
    Delete(Expr, Option<String>),
    Do(Expr),
}

/// A metric or variable.
#[derive(Clone, Debug, Default)]
pub(super) struct Declared {
    pub(super) hidden: bool,
    /// `counter`, `gauge`, `timer`, `text` or `histogram`.
    pub(super) kind: String,
    pub(super) name: String,
    /// The exported name, after `as`.
    pub(super) exported: Option<String>,
    pub(super) keys: Vec<String>,
    pub(super) buckets: Vec<String>,
    pub(super) limit: bool,
}

impl Declared {
    /// Whether it is a variable of the program, which keeps its value from line to line.
    pub(super) fn is_remembered(&self) -> bool {
        self.hidden || self.kind == "text"
    }
}

/// A part of an expression: between slashes, or a constant's name.
#[derive(Clone, Debug)]
pub(super) enum Part {
    Text(String),
    Const(String),
}

#[derive(Clone, Debug)]
pub(super) enum Expr {
    Pattern(Vec<Part>),
    Capture(String),
    Text(String),
    Number(String),
    /// A variable with its keys.
    Name(String, Vec<Expr>),
    Call(String, Vec<Expr>),
    Not(Box<Expr>),
    /// `++` or `--`.
    Step(&'static str, Box<Expr>),
    Binary(&'static str, Box<Expr>, Box<Expr>),
    /// The time since the start of a span; stands for `timestamp() - since[$key]` once both ends are known.
    Elapsed,
    /// What the start of a span captured, by its name in the expression.
    Kept(String),
}
