// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.architecture;

import io.telechat.core.InvalidModelException;
import io.telechat.core.ops.HeadLayout;

/** Reads the attention heads of a configuration. */
final class HeadConfig {
    private HeadConfig() {}

    /** @throws InvalidModelException if the heads do not divide the width evenly */
    static HeadLayout read(ConfigFile config, String widthKey, int width, int heads, int kvHeads) {
        int headDim = config.divide(widthKey, width, "n_head", heads);
        if (config.positive("head_dim", Limits.WIDTH, headDim) != headDim) {
            throw new InvalidModelException(
                    "%s: 'head_dim' is not '%s'/'n_head' = %d, which telechat computes only",
                    config.path(), widthKey, headDim);
        }
        return of(config, "n_head", heads, kvHeads, headDim);
    }

    /** @throws InvalidModelException if they cannot be grouped, or rotated */
    static HeadLayout of(ConfigFile config, String headsKey, int heads, int kvHeads, int headDim) {
        config.divide(headsKey, heads, "num_key_value_heads", kvHeads);
        if (headDim % 2 != 0) {
            throw new InvalidModelException(
                    "%s: heads of %d features cannot be rotated in pairs", config.path(), headDim);
        }
        return new HeadLayout(heads, kvHeads, headDim);
    }
}
