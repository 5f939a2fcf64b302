// SPDX-License-Identifier: Apache-2.0
package io.telechat.djl;

import ai.djl.engine.Engine;
import ai.djl.engine.EngineProvider;

/** Found by DJL on the class path. */
public final class TelechatEngineProvider implements EngineProvider {
    private static final String TRACKING = "OPT_OUT_TRACKING";

    /** DJL asks the cloud's metadata service where it runs and tells its makers, unless it is told not to: so it is. */
    public TelechatEngineProvider() {
        if (System.getenv(TRACKING) == null && System.getProperty(TRACKING) == null) {
            System.setProperty(TRACKING, "true");
        }
    }

    @Override
    public String getEngineName() {
        return TelechatEngine.NAME;
    }

    @Override
    public int getEngineRank() {
        return TelechatEngine.RANK;
    }

    @Override
    public Engine getEngine() {
        return Holder.ENGINE;
    }

    private static final class Holder {
        private static final Engine ENGINE = new TelechatEngine();
    }
}
