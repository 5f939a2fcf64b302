// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.lora;

import io.telechat.core.backend.Backend;
import io.telechat.core.model.CausalLm;
import io.telechat.core.model.LayerLease;
import io.telechat.core.model.LoadProgress;
import io.telechat.core.model.ModelLoader;
import io.telechat.core.model.ParameterStore;
import io.telechat.core.ops.Ops;
import io.telechat.core.ops.Weight;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.Tensor;
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
        ParameterStore parameters = ModelLoader.parameters(checked, backend, quantization, progress);
        LoraAdapters adapters = LoraAdapters.read(adapter, checked.config(), parameters, backend);
        LoraOps adapted = new LoraOps(ops, adapters, LoraDropout.none(backend), backend);
        return new CausalLm(checked.config(), new Owned(parameters, adapters), backend, adapted);
    }

    /** Parameters that take their adapters with them. */
    private record Owned(ParameterStore parameters, LoraAdapters adapters) implements ParameterStore {
        @Override
        public Weight embedding() {
            return parameters.embedding();
        }

        @Override
        public Optional<Tensor> embeddingNorm() {
            return parameters.embeddingNorm();
        }

        @Override
        public void prefetch(int layer) {
            parameters.prefetch(layer);
        }

        @Override
        public LayerLease lease(int layer) {
            return parameters.lease(layer);
        }

        @Override
        public Tensor finalNorm() {
            return parameters.finalNorm();
        }

        @Override
        public Weight head() {
            return parameters.head();
        }

        @Override
        public void close() {
            adapters.close();
            parameters.close();
        }
    }
}
