// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.lora;

import io.telechat.core.backend.Backend;
import io.telechat.core.model.CausalLm;
import io.telechat.core.model.ParameterStore;
import io.telechat.core.ops.Ops;
import io.telechat.core.tensor.DType;
import io.telechat.core.weights.LoadProgress;
import io.telechat.core.weights.ModelLoader;
import java.nio.file.Path;
import java.util.Optional;

/** A model with an adapter beside its weights, which stay as they are. */
public final class AdaptedModel {
    private AdaptedModel() {}

    /**
     * As {@link ModelLoader#load}.
     *
     * @param adapter directory in PEFT's format
     * @throws io.telechat.core.InvalidModelException if model or adapter is damaged, or they do not fit each other
     */
    public static CausalLm load(
            ModelLoader.Checked checked,
            Backend backend,
            Ops ops,
            Optional<DType> quantization,
            Path adapter,
            LoadProgress progress) {
        LoraAdapters adapters = LoraAdapters.read(adapter, checked.config(), backend);
        try {
            ParameterStore parameters = ModelLoader.parameters(checked, backend, quantization, progress);
            LoraOps adapted = new LoraOps(ops, adapters, LoraDropout.none(backend), backend);
            return new CausalLm(checked.config(), parameters, backend, adapted, adapted::close, adapters::close);
        } catch (RuntimeException | Error e) {
            adapters.close();
            throw e;
        }
    }
}
