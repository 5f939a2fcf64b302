// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.zero;

import io.telechat.core.architecture.Architecture;
import io.telechat.core.architecture.EmbeddingWeights;
import io.telechat.core.architecture.ModelConfig;
import io.telechat.core.architecture.TensorSpec;
import io.telechat.core.architecture.WeightSource;
import io.telechat.core.checkpoint.Checkpoint;
import io.telechat.core.model.Section;
import io.telechat.core.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;

/** Which tensors of a checkpoint a section of the model is made of. */
final class SectionTensors {
    private SectionTensors() {}

    /** By sections, in the order of the computation; asked of the architecture, which assembles each and is watched. */
    static Map<Section, List<TensorSpec>> of(ModelConfig config, Checkpoint checkpoint) {
        Map<String, TensorSpec> specs = new LinkedHashMap<>();
        Architecture architecture = config.architecture();
        architecture.tensors(config).forEach(spec -> specs.put(spec.name(), spec));
        Map<String, Tensor> computed = new LinkedHashMap<>();
        specs.forEach((name, spec) -> computed.put(
                name, checkpoint.tensor(name).reshape(spec.computedShape().toArray())));
        Map<Section, List<TensorSpec>> sections = new LinkedHashMap<>();
        List<TensorSpec> table = new ArrayList<>();
        EmbeddingWeights embedding =
                architecture.embedding(config, watched(computed, name -> table.add(specs.get(name))));
        sections.put(Section.EMBEDDING, table);
        for (int i = 0; i < config.layers(); i++) {
            List<TensorSpec> layer = new ArrayList<>();
            architecture.layer(config, i, watched(computed, name -> layer.add(specs.get(name))));
            sections.put(Section.layer(i), layer);
        }
        List<TensorSpec> head = new ArrayList<>();
        architecture.head(config, watched(computed, name -> head.add(specs.get(name))), embedding);
        sections.put(Section.HEAD, head);
        return sections;
    }

    private static WeightSource watched(Map<String, Tensor> tensors, Consumer<String> taken) {
        return source(name -> {
            taken.accept(name);
            return tensors.get(name);
        });
    }

    /** Tensors as they are computed with, [out, in]. */
    static WeightSource source(Function<String, Tensor> tensors) {
        return new WeightSource() {
            @Override
            public Tensor get(String name) {
                return tensors.apply(name);
            }

            @Override
            public Tensor transposed(String name) {
                return tensors.apply(name);
            }
        };
    }
}
