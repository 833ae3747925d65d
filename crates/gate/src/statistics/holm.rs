/// Which of the hypotheses with these p-values are rejected by Holm's step-down procedure, in their order.
///
/// The chance that any true one is among them is at most `alpha`, however they depend on one another
/// (S. Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scand. J. Statist. 6, 1979).
pub(crate) fn holm(p_values: &[f64], alpha: f64) -> Vec<bool> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&left, &right| p_values[left].total_cmp(&p_values[right]));
    let mut rejected = vec![false; p_values.len()];
    for (rank, &index) in order.iter().enumerate() {
        let small_enough = p_values[index] <= alpha / (p_values.len() - rank) as f64;
        if !small_enough {
            break;
        }
        rejected[index] = true;
    }
    rejected
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_down_from_the_smallest() {
        // 0.05/4 = 0.0125, 0.05/3 = 0.0167, 0.05/2 = 0.025, 0.05: the worked example of textbooks.
        assert_eq!(holm(&[0.01, 0.04, 0.03, 0.005], 0.05), [true, false, false, true]);
        assert_eq!(holm(&[0.0125], 0.0125), [true]);
        assert_eq!(holm(&[], 0.05), [false; 0]);
    }

    #[test]
    fn one_that_stands_protects_all_above_it() {
        // 0.03 ≤ 0.05, but 0.026 > 0.05/2 has stopped the descent.
        assert_eq!(holm(&[0.026, 0.03], 0.05), [false, false]);
        assert_eq!(holm(&[0.025, 0.03], 0.05), [true, true]);
    }

    #[test]
    fn nan_is_never_rejected() {
        assert_eq!(holm(&[f64::NAN, 0.001], 0.05), [false, true]);
    }
}
