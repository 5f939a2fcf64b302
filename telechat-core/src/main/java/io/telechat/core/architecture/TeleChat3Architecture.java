// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.architecture;

import io.telechat.core.ops.RopeScaling;

/**
 * TeleChat3-36B-Thinking: Llama's formulas and names, with a YaRN whose magnitude grows more slowly than the paper's
 * (modeling_telechat3.py and config.json of TeleChat3-36B-Thinking).
 */
final class TeleChat3Architecture extends LlamaLikeArchitecture {
    private static final double YARN_GROWTH = 0.07;

    TeleChat3Architecture() {
        super("TeleChat3", "telechat3");
    }

    @Override
    RopeScaling rope(ConfigFile config) {
        return RopeConfig.read(config, "telechat3-yarn", YARN_GROWTH);
    }
}
