// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.math;

import java.util.Locale;

/** Whose notion of "the same answer" holds. */
public enum MathStyle {
    /** lm-eval's {@code minerva_math}: both are normalised, then the same text, or the same value. */
    MINERVA {
        @Override
        public boolean equal(String a, String b) {
            return MinervaAnswer.equal(MinervaAnswer.normalize(a), MinervaAnswer.normalize(b));
        }
    },

    /** lm-eval's {@code hendrycks_math}: the same text after a clean-up. */
    HENDRYCKS {
        @Override
        public boolean equal(String a, String b) {
            return HendrycksText.STRICT.equal(a, b);
        }
    },

    /** OpenCompass's {@code MATHEvaluator}, version 2. */
    OPENCOMPASS {
        @Override
        public boolean equal(String a, String b) {
            return OpenCompassMath.equal(a, b);
        }
    },

    /** The comparison that comes with AGIEval, as OpenCompass has it. */
    OPENCOMPASS_AGIEVAL {
        @Override
        public boolean equal(String a, String b) {
            return HendrycksText.LENIENT.equal(a, b);
        }
    };

    /** Whether two answers, as they stand in a text, count as the same. */
    public abstract boolean equal(String a, String b);

    /** The name on the command line, such as {@code opencompass-agieval}. */
    public String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
