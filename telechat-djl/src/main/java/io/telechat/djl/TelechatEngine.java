// SPDX-License-Identifier: Apache-2.0
package io.telechat.djl;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDManager;
import java.util.Optional;

/** DJL's view of this library: an engine for inference on the CPU. */
final class TelechatEngine extends Engine {
    static final String NAME = "TeleChat";

    /** That of DJL's other engines for inference only. */
    static final int RANK = 10;

    @Override
    public String getEngineName() {
        return NAME;
    }

    @Override
    public int getRank() {
        return RANK;
    }

    @Override
    public String getVersion() {
        return Optional.ofNullable(TelechatEngine.class.getPackage().getImplementationVersion())
                .orElse("development");
    }

    /** Another engine that arrays may be computed with, if there is one that can do more. */
    @Override
    public Engine getAlternativeEngine() {
        Engine engine = Engine.getInstance();
        return engine.getRank() < RANK ? engine : null;
    }

    @Override
    public boolean hasCapability(String capability) {
        return false;
    }

    @Override
    public Model newModel(String name, Device device) {
        return new TelechatModel(name, newBaseManager(device));
    }

    @Override
    public NDManager newBaseManager() {
        return newBaseManager(null);
    }

    /** @throws IllegalArgumentException if it is to be on anything but the CPU */
    @Override
    public NDManager newBaseManager(Device device) {
        if (device != null && !device.equals(Device.cpu())) {
            throw new IllegalArgumentException("the engine TeleChat computes on the CPU, not on " + device);
        }
        return TelechatManager.SYSTEM.newSubManager(Device.cpu());
    }
}
