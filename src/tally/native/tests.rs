//! Indices against exact arithmetic, and the laws of merging.

use super::*;
use proptest::prelude::*;

fn of(values: &[f64]) -> Native {
    let mut native = Native::default();
    values.iter().for_each(|value| native.observe(*value));
    native
}

/// What the buckets would be had all been counted at this schema from the start.
fn counted_at(schema: i8, values: &[f64]) -> Native {
    let mut native = Native { schema, ..Native::default() };
    values.iter().for_each(|value| native.add(*value, 1));
    native
}

fn index(value: f64, schema: i8) -> i16 {
    counted_at(schema, &[value]).positive[0].0
}

/// Whole numbers of any size, least digit first.
fn times(a: &[u64], b: &[u64]) -> Vec<u64> {
    let mut product = vec![0_u64; a.len() + b.len()];
    for (i, x) in a.iter().enumerate() {
        let mut carry = 0_u128;
        for (j, y) in b.iter().enumerate() {
            let sum = u128::from(product[i + j]) + u128::from(*x) * u128::from(*y) + carry;
            (product[i + j], carry) = (sum as u64, sum >> 64);
        }
        product[i + b.len()] = carry as u64;
    }
    product
}

/// Whether a number of 0.5 to 1 is at most 2^(k/8 - 1): its eighth power against 2^(k - 8), without any rounding.
fn is_at_most(x: f64, k: u32) -> bool {
    let mantissa = x.to_bits() & ((1 << 52) - 1) | 1 << 52;
    let shift = 1077 - (x.to_bits() >> 52 & 0x7ff);
    assert_eq!(shift, 53 + 2, "0.5 <= x < 1");
    let power = (0..3).fold(vec![mantissa], |x, _| times(&x, &x));
    // x = mantissa / 2^53, so x^8 <= 2^(k-8) where mantissa^8 <= 2^(8 * 53 + k - 8).
    let bit = 8 * 53 + k - 8;
    let mut limit = vec![0; power.len()];
    limit[bit as usize / 64] = 1 << (bit % 64);
    power.iter().rev().le(limit.iter().rev())
}

#[test]
fn bounds_are_the_powers_of_two_that_they_should_be() {
    assert_eq!(BOUNDS[0], 0.5);
    for (k, bound) in BOUNDS.iter().enumerate().skip(1) {
        // As close as the server's own: two ulps.
        assert!(is_at_most(bound.next_down().next_down(), k as u32), "{k}");
        assert!(!is_at_most(bound.next_up().next_up(), k as u32), "{k}");
    }
}

#[test]
fn upper_bounds_belong_to_their_bucket_and_lower_ones_do_not() {
    for exponent in [-127, -40, -1, 0, 1, 2, 10, 30, 1023] {
        for (k, bound) in BOUNDS.iter().enumerate() {
            let (value, at) = (bound * 2_f64.powi(exponent), 8 * (exponent - 1) as i16 + k as i16);
            if value <= ZERO_THRESHOLD {
                continue;
            }
            assert_eq!((index(value, 3), index(value.next_up(), 3)), (at, at + 1), "{value:e}");
        }
    }
}

#[test]
fn known_indices() {
    // By hand: the bucket i of schema s ends at 2^(i / 2^s).
    for (value, schema, at) in [
        (1.0, 3, 0),
        (1.0_f64.next_up(), 3, 1),
        (2.0, 3, 8),
        (0.5, 3, -8),
        (2.0, 0, 1),
        (3.0, 0, 2),
        (4.0, 0, 2),
        (4.0, -1, 1),
        (5.0, -1, 2),
        (1.0, -4, 0),
        (65_536.0, -4, 1),
        (65_537.0, -4, 2),
        (1e-3, 0, -9),
        (1.5, 1, 2),
        (1.4, 1, 1),
        (f64::MAX, 3, 8192),
        (f64::INFINITY, 3, 8193),
        (f64::MAX, 0, 1024),
        (f64::INFINITY, 0, 1025),
        (f64::MAX, -4, 64),
        (f64::INFINITY, -4, 65),
        (ZERO_THRESHOLD.next_up(), 3, -1023),
        (ZERO_THRESHOLD.next_up(), -4, -7),
    ] {
        assert_eq!(index(value, schema), at, "{value:e} at schema {schema}");
    }
}

#[test]
fn what_is_as_good_as_zero_and_what_is_no_number() {
    let tiny = [0.0, -0.0, f64::MIN_POSITIVE, 5e-324, -5e-324, ZERO_THRESHOLD, -ZERO_THRESHOLD];
    let native = of(&tiny);
    assert_eq!((native.zero(), native.positive(), native.negative()), (7, &[][..], &[][..]));
    assert!(native.is_of(7));
    assert_eq!(of(&[f64::NAN]), Native::default());
    assert_eq!(ZERO_THRESHOLD, 2_f64.powi(-128));
}

#[test]
fn negative_values_mirror_positive_ones() {
    let native = of(&[-1.5, -1.5, -4.0, f64::NEG_INFINITY, 1.5]);
    let mirrored = of(&[1.5, 1.5, 4.0, f64::INFINITY]);
    assert_eq!(native.negative(), mirrored.positive());
    assert_eq!(native.positive(), of(&[1.5]).positive());
}

#[test]
fn explicit_buckets_keep_their_counts_and_their_precision() {
    let native = Native::of_buckets(&[-1.0, 0.0, 0.25, 1.0], &[1, 2, 3, 4, 5]);
    assert!(native.is_of(15));
    assert_eq!(native.negative(), [(0, 1)]);
    assert_eq!((native.zero(), native.positive()), (2, &[(-16, 3), (0, 4), (1, 5)][..]));
    assert_eq!(Native::of_buckets(&[1.0, 2.0], &[0, 0, 0]), Native::default());
}

#[test]
fn no_range_of_values_takes_more_than_so_many_buckets() {
    let mut native = Native::default();
    let mut total = 0;
    for exponent in -1074..1024 {
        for sign in [1.0, -1.0] {
            for fraction in [1.0, 1.3, 1.7] {
                native.observe(sign * fraction * 2_f64.powi(exponent));
                total += 1;
                assert!(native.is_of(total));
            }
        }
    }
    native.observe(f64::INFINITY);
    native.observe(f64::NEG_INFINITY);
    assert!(native.is_of(total + 2));
    assert_eq!(native.schema(), COARSEST);
}

#[test]
fn what_a_server_would_refuse_is_no_form_of_it() {
    let good = of(&[1.0, 2.0, -3.0]);
    assert!(good.is_of(3) && !good.is_of(4) && !good.is_of(2));
    let turned = Native { positive: vec![(3, 1), (2, 1)], ..Native::default() };
    let twice = Native { positive: vec![(3, 1), (3, 1)], ..Native::default() };
    let fine = Native { schema: 9, positive: vec![(3, 2)], ..Native::default() };
    let many = Native { positive: (0..161).map(|i| (i, 1)).collect(), ..Native::default() };
    assert!(![(turned, 2), (twice, 2), (fine, 2), (many, 161)].iter().any(|(n, total)| n.is_of(*total)));
}

/// Values around the bounds of buckets, of all sizes, and any others.
fn value() -> impl Strategy<Value = f64> {
    let bound = (0..8_usize, -140..1024_i32, -2..=2_i32).prop_map(|(k, exponent, ulps)| {
        let bound = BOUNDS[k] * 2_f64.powi(exponent);
        (0..ulps.abs()).fold(bound, |x, _| if ulps < 0 { x.next_down() } else { x.next_up() })
    });
    let near = (-20.0..20.0_f64).prop_map(f64::exp2);
    prop_oneof![bound, near, any::<f64>()]
}

proptest! {
    #[test]
    fn a_value_lies_between_the_bounds_of_its_bucket(value in value(), schema in COARSEST..=FINEST) {
        prop_assume!(value.is_finite() && value > ZERO_THRESHOLD);
        let index = f64::from(index(value, schema));
        let width = f64::from(-schema).exp2();
        // Logarithms are rounded: enough to tell neighbours but for values at a bound, which other tests hold.
        let at = value.log2() / width;
        prop_assert!(at > index - 1.0 - 1e-9 * at.abs() - 1e-9, "{at} in {index}");
        prop_assert!(at < index + 1e-9 * at.abs() + 1e-9, "{at} in {index}");
    }

    #[test]
    fn a_coarser_schema_is_as_if_it_had_been_so_from_the_start(
        values in prop::collection::vec(value(), 0..400),
    ) {
        let finite: Vec<f64> = values.into_iter().filter(|value| !value.is_nan()).collect();
        let native = of(&finite);
        prop_assert!(native.is_of(finite.len() as u64));
        prop_assert_eq!(&native, &counted_at(native.schema(), &finite));
        // No coarser than it has to be: one step finer would not fit.
        if native.schema() < FINEST {
            let mut finer = Native { schema: native.schema() + 1, ..Native::default() };
            let fits = finite.iter().all(|value| {
                finer.add(*value, 1);
                finer.schema() > native.schema()
            });
            prop_assert!(!fits);
        }
    }

    #[test]
    fn together_they_are_what_one_would_have_counted(
        left in prop::collection::vec(value(), 0..200),
        right in prop::collection::vec(value(), 0..200),
    ) {
        let mut both = of(&left);
        both.absorb(&of(&right));
        let one = of(&[left, right].concat());
        prop_assert_eq!(both, one);
    }

    #[test]
    fn nothing_is_lost_on_the_way_through_the_store(values in prop::collection::vec(value(), 0..300)) {
        let native = of(&values);
        let bytes = postcard::to_stdvec(&native).unwrap();
        prop_assert_eq!(postcard::from_bytes::<Native>(&bytes).unwrap(), native);
    }
}
