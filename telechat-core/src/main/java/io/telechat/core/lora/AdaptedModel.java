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
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A model with adapters beside its weights, which stay as they are. */
public final class AdaptedModel {
    private AdaptedModel() {}

    /**
     * As {@link ModelLoader#load}.
     *
     * @param directories of adapters in PEFT's format
     * @throws io.telechat.core.InvalidModelException if model or adapter is damaged, or they do not fit each other
     */
    public static CausalLm load(
            ModelLoader.Checked checked,
            Backend backend,
            Ops ops,
            Optional<DType> quantization,
            List<Path> directories,
            LoadProgress progress) {
        List<LoraAdapters> adapters = new ArrayList<>();
        try {
            for (Path directory : directories) {
                adapters.add(LoraAdapters.read(directory, checked.config(), backend));
            }
            ParameterStore parameters = ModelLoader.parameters(checked, backend, quantization, progress);
            LoraOps adapted = new LoraOps(ops, adapters, LoraDropout.none(backend), backend);
            return new CausalLm(
                    checked.config(),
                    parameters,
                    backend,
                    adapted,
                    adapted::close,
                    () -> adapters.forEach(LoraAdapters::close));
        } catch (RuntimeException | Error e) {
            adapters.forEach(LoraAdapters::close);
            throw e;
        }
    }
}
