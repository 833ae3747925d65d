//! Logarithm, exponential and normal distribution from additions, multiplications, divisions and square
//! roots alone.
//!
//! Those are exact by IEEE 754, so a draw has the same bits on every machine. The functions of the system's
//! mathematics library differ in their last digit from one version to the next.

use std::f64::consts::{LN_2, SQRT_2};

/// The natural logarithm of a positive, normal number, to about 1 unit in the fifteenth digit.
pub(crate) fn ln(x: f64) -> f64 {
    const MANTISSA_BITS: u32 = 52;
    const BIAS: i64 = 1023;
    let bits = x.to_bits();
    let mut exponent = (bits >> MANTISSA_BITS) as i64 - BIAS;
    let mut mantissa = f64::from_bits((bits & ((1 << MANTISSA_BITS) - 1)) | ((BIAS as u64) << MANTISSA_BITS));
    if mantissa > SQRT_2 {
        mantissa /= 2.0;
        exponent += 1;
    }
    // ln m = 2 artanh s, whose series converges by a factor of 34 per term for these m.
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    let series = (0..13).rev().fold(0.0, |sum, k| sum * square + 1.0 / f64::from(2 * k + 1));
    2.0 * s * series + exponent as f64 * LN_2
}

/// e to the power of `x`, for `x` from -700 to 700; beyond, the value there.
pub(crate) fn exp(x: f64) -> f64 {
    let x = x.clamp(-700.0, 700.0);
    let halvings = (x / LN_2).round();
    let rest = x - halvings * LN_2;
    let series = (1..18).rev().fold(1.0, |sum, k| 1.0 + sum * rest / f64::from(k));
    series * f64::from_bits(((halvings as i64 + 1023) as u64) << 52)
}

/// The share of a standard normal distribution below `z`, to 14 digits.
///
/// G. West, "Better approximations to cumulative normal functions", Wilmott 2005, after J. F. Hart,
/// "Computer Approximations", algorithm 5666.
pub(crate) fn normal_cdf(z: f64) -> f64 {
    const NUMERATOR: [f64; 7] = [
        3.526_249_659_989_11e-2,
        0.700_383_064_443_688,
        6.373_962_203_531_65,
        33.912_866_078_383,
        112.079_291_497_871,
        221.213_596_169_931,
        220.206_867_912_376,
    ];
    const DENOMINATOR: [f64; 8] = [
        8.838_834_764_831_84e-2,
        1.755_667_163_182_64,
        16.064_177_579_207,
        86.780_732_202_946_1,
        296.564_248_779_674,
        637.333_633_378_831,
        793.826_512_519_948,
        440.413_735_824_752,
    ];
    let distance = z.abs();
    let density = exp(-distance * distance / 2.0);
    let tail = if distance > 37.0 {
        0.0
    } else if distance < 7.071_067_811_865_47 {
        density * polynomial(&NUMERATOR, distance) / polynomial(&DENOMINATOR, distance)
    } else {
        let fraction = [4.0, 3.0, 2.0, 1.0].iter().fold(distance + 0.65, |sum, k| distance + k / sum);
        density / fraction / 2.506_628_274_631
    };
    if z > 0.0 { 1.0 - tail } else { tail }
}

/// The point below which a standard normal distribution has the share `u`, which lies between 0 and 1; to
/// nine digits.
///
/// P. J. Acklam, "An algorithm for computing the inverse normal cumulative distribution function", 2003.
pub(crate) fn normal_quantile(u: f64) -> f64 {
    const TAIL: f64 = 0.02425;
    let tail = |share: f64| {
        let q = (-2.0 * ln(share)).sqrt();
        polynomial(&TAIL_NUMERATOR, q) / polynomial(&TAIL_DENOMINATOR, q)
    };
    if u < TAIL {
        tail(u)
    } else if u > 1.0 - TAIL {
        -tail(1.0 - u)
    } else {
        let q = u - 0.5;
        q * polynomial(&CENTRE_NUMERATOR, q * q) / polynomial(&CENTRE_DENOMINATOR, q * q)
    }
}

// Acklam's coefficients.
const CENTRE_NUMERATOR: [f64; 6] = [
    -3.969_683_028_665_376e1,
    2.209_460_984_245_205e2,
    -2.759_285_104_469_687e2,
    1.383_577_518_672_69e2,
    -3.066_479_806_614_716e1,
    2.506_628_277_459_239,
];
const CENTRE_DENOMINATOR: [f64; 6] = [
    -5.447_609_879_822_406e1,
    1.615_858_368_580_409e2,
    -1.556_989_798_598_866e2,
    6.680_131_188_771_972e1,
    -1.328_068_155_288_572e1,
    1.0,
];
const TAIL_NUMERATOR: [f64; 6] = [
    -7.784_894_002_430_293e-3,
    -3.223_964_580_411_365e-1,
    -2.400_758_277_161_838,
    -2.549_732_539_343_734,
    4.374_664_141_464_968,
    2.938_163_982_698_783,
];
const TAIL_DENOMINATOR: [f64; 5] =
    [7.784_695_709_041_462e-3, 3.224_671_290_700_398e-1, 2.445_134_137_142_996, 3.754_408_661_907_416, 1.0];

/// Coefficients from the highest power down.
fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn close(found: f64, expect: f64, relative: f64) {
        assert!((found - expect).abs() <= relative * expect.abs().max(1e-300), "{found} is not {expect}");
    }

    #[test]
    fn agree_with_the_mathematics_library() {
        for x in [1e-300, 1e-12, 0.1, 0.5, 0.999, 1.001, 1.4, 1.5, 2.0, 1e9, 1e300] {
            close(ln(x), x.ln(), 1e-13);
        }
        for x in [-600.0, -20.5, -1.0, -1e-9, 0.0, 0.3, 1.0, 42.0, 600.0] {
            close(exp(x), x.exp(), 1e-12);
        }
        assert_eq!((ln(1.0), exp(0.0)), (0.0, 1.0));
    }

    #[test]
    fn the_normal_distribution_has_its_known_points() {
        // Abramowitz and Stegun, table 26.1.
        for (z, below) in [(0.0, 0.5), (1.0, 0.841_344_746_068_543), (1.96, 0.975_002_104_851_780)] {
            close(normal_cdf(z), below, 1e-12);
            close(normal_cdf(-z), 1.0 - below, 1e-12);
        }
        close(normal_cdf(-8.0), 6.220_960_574_271_78e-16, 1e-6);
        for u in [1e-12, 0.001, 0.02425, 0.0243, 0.3, 0.5, 0.9, 0.976, 1.0 - 1e-9] {
            close(normal_cdf(normal_quantile(u)), u, 1e-7);
        }
    }
}
