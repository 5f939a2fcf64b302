// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.optimizer;

/** Clipping of all gradients together (Pascanu et al. 2013, arXiv:1211.5063), with DeepSpeed's constant. */
public final class GradientClipping {
    private static final double TINY = 1e-6;

    private GradientClipping() {}

    /** The factor that brings a gradient of this norm to at most {@code limit}. */
    public static double scale(double norm, double limit) {
        double clip = (norm + TINY) / limit;
        return clip > 1 ? 1 / clip : 1;
    }
}
