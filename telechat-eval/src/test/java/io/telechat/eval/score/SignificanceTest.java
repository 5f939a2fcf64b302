// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.score;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Against SciPy 1.17: {@code 2 * norm.sf(z)}, {@code binomtest(min, n, 0.5)}; Holm's by hand. */
class SignificanceTest {
    @ParameterizedTest
    @CsvSource({
        "0, 1",
        "0.1, 0.920344325445942",
        "-0.5, 0.6170750774519738",
        "1, 0.31731050786291415",
        "1.96, 0.04999579029644087",
        "2.5, 0.012419330651552265",
        "2.9, 0.003731626600768075",
        "-3.3, 0.0009668482847675549",
        "5, 5.733031437583866e-07",
        "10, 1.523970604832094e-23"
    })
    void tailsOfTheNormalDistribution(double z, double expected) {
        assertEquals(expected, Significance.ofNormal(z), 1e-11 * expected);
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0, 1",
        "1, 0, 1",
        "0, 3, 0.25",
        "8, 2, 0.109375",
        "10, 1, 0.01171875",
        "5, 5, 1",
        "80, 120, 0.005685155996750306",
        "700, 600, 0.0060157938610449395",
        "2000, 1500, 2.942363832253349e-17"
    })
    void exactTestOfMcNemar(int gained, int lost, double expected) {
        assertEquals(expected, Significance.ofMcNemar(gained, lost), 1e-9 * expected);
    }

    @Test
    void holmsCorrection() {
        List<Double> corrected = Significance.holm(List.of(0.01, 0.04, 0.03, 0.005, 0.9));
        List<Double> expected = List.of(0.04, 0.09, 0.09, 0.025, 0.9);
        for (int i = 0; i < expected.size(); i++) {
            assertEquals(expected.get(i), corrected.get(i), 1e-12);
        }
        assertEquals(List.of(1.0, 1.0), Significance.holm(List.of(0.7, 0.6)));
    }

    private static PairedScores paired(double[] first, double[] second) {
        PairedScores scores = new PairedScores();
        for (int i = 0; i < first.length; i++) {
            scores.add(first[i], second[i]);
        }
        return scores;
    }

    /** NumPy: {@code d.mean()}, {@code d.std(ddof=1) / sqrt(12)}. */
    @Test
    void pairedZerosAndOnes() {
        PairedScores scores = paired(
                new double[] {1, 1, 0, 0, 1, 0, 1, 1, 0, 1, 0, 0}, new double[] {1, 0, 1, 1, 1, 0, 1, 1, 1, 1, 1, 0});
        assertEquals(0.25, scores.difference().value(), 1e-12);
        assertEquals(0.17943514064131835, scores.difference().standardError().getAsDouble(), 1e-12);
        assertEquals(4, scores.gained());
        assertEquals(1, scores.lost());
        assertEquals(0.375, scores.mcNemar().getAsDouble(), 1e-12);
        assertEquals(0.16354085169098398, scores.pairedZ().getAsDouble(), 1e-12);
    }

    @Test
    void pairedFractionsHaveTheZTestOnly() {
        PairedScores scores = paired(new double[] {.1, .5, .25, .8}, new double[] {.3, .4, .5, .9});
        assertTrue(scores.mcNemar().isEmpty());
        assertEquals(0.14604859988613236, scores.pairedZ().getAsDouble(), 1e-12);
    }

    @Test
    void noSpreadIsNoCertainty() {
        assertEquals(
                OptionalDouble.empty(),
                paired(new double[] {0, 0}, new double[] {1, 1}).pairedZ());
        assertEquals(
                OptionalDouble.empty(),
                paired(new double[] {.5}, new double[] {1}).pairedZ());
        assertEquals(
                OptionalDouble.of(1),
                paired(new double[] {1, 0}, new double[] {1, 0}).pairedZ());
    }
}
