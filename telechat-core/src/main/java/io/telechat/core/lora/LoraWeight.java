// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.lora;

import io.telechat.core.architecture.ModelPart;
import io.telechat.core.backend.DeviceMemory;
import io.telechat.core.ops.Weight;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import io.telechat.core.tensor.Tensor;
import io.telechat.core.tensor.TensorArena;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.DoubleStream;

/**
 * The adapters of one weight of the model, as two products: {@code y += scale · (x · downᵀ) · upᵀ}. Where the weight is made
 * of several linear layers, their {@code a} are stacked, and a row of {@code up} holds the {@code b} of its own layer and zeros
 * for the others.
 *
 * @param composition what the weight is made of
 * @param columns of the modules, where the weight is a part's share of them; empty if it has all
 * @param scale of the product; where the layers have different ones, the first that is not 0
 * @param shares of each module, the factor on its {@code b} that makes up for what its own scale has more than that
 * @param down [modules · rank, in], a block for each module
 * @param up [out, modules · rank]
 */
public record LoraWeight(
        LoraTargets.Composition composition,
        Optional<ModelPart.Range> columns,
        int rank,
        float scale,
        List<Float> shares,
        Weight down,
        Tensor up) {
    public LoraWeight {
        shares = List.copyOf(shares);
    }

    /** An adapter of nothing but zeros. */
    static LoraWeight allocate(
            LoraTargets.Composition composition,
            Optional<ModelPart.Range> columns,
            LoraConfig config,
            TensorArena arena) {
        List<Tensor> blocks = new ArrayList<>();
        for (LoraTargets.Module module : composition.modules()) {
            blocks.add(arena.allocate(
                    DType.F32, config.rank(), columns.map(ModelPart.Range::size).orElse(module.in())));
        }
        int width = config.rank() * composition.modules().size();
        Tensor up = arena.allocate(DType.F32, composition.rowOf().length, width);
        double[] scales = composition.modules().stream()
                .mapToDouble(m -> config.scale(m.name()))
                .toArray();
        double scale = DoubleStream.of(scales).filter(s -> s != 0).findFirst().orElse(0);
        List<Float> shares = DoubleStream.of(scales)
                .mapToObj(s -> s == scale ? 1f : (float) (s / scale))
                .toList();
        return new LoraWeight(composition, columns, config.rank(), (float) scale, shares, Weight.stacked(blocks), up);
    }

    /** Name of the linear layer that block {@code index} of {@link #down} belongs to. */
    public String name(int index) {
        return composition.modules().get(index).name();
    }

    /** Whether all its layers have the same scale; otherwise the optimizer would see others of {@code up} than PEFT's does. */
    public boolean hasOneScale() {
        return shares.stream().allMatch(share -> share == 1);
    }

    /** Width of what is between the two products. */
    public int width() {
        return Math.toIntExact(up.columns());
    }

    public Weight upWeight() {
        return Weight.of(up);
    }

    /** Takes values by the names of the modules; those that are not named become zero. */
    void set(Map<String, LoraFiles.Pair> pairs, DeviceMemory memory) {
        try (HostArena temporary = new HostArena()) {
            Tensor rows = temporary.allocate(DType.F32, up.rows(), up.columns());
            for (int m = 0; m < composition.modules().size(); m++) {
                LoraFiles.Pair pair = pairs.get(composition.modules().get(m).name());
                if (pair == null) {
                    down.blocks().get(m).matrix().clear();
                    continue;
                }
                write(memory, own(pair.a(), temporary), down.blocks().get(m).matrix());
                for (int row = 0; row < composition.rowOf().length; row++) {
                    if (composition.moduleOf()[row] == m) {
                        for (int r = 0; r < rank; r++) {
                            rows.setFloat(
                                    row * up.columns() + (long) m * rank + r,
                                    shares.get(m)
                                            * pair.b()
                                                    .getFloat((long) composition.rowOf()[row] * rank + r));
                        }
                    }
                }
            }
            write(memory, rows, up);
        }
    }

    /** Of a module's {@code a}, the columns that this weight has. */
    private Tensor own(Tensor a, TensorArena arena) {
        if (columns.isEmpty()) {
            return a;
        }
        int width = columns.get().size();
        Tensor cut = arena.allocate(DType.F32, rank, width);
        for (long row = 0; row < rank; row++) {
            for (int i = 0; i < width; i++) {
                cut.setFloat(
                        row * width + i,
                        a.getFloat(row * a.columns() + columns.get().from() + i));
            }
        }
        return cut;
    }

    private static void write(DeviceMemory memory, Tensor host, Tensor to) {
        try (TensorArena arena = memory.newArena()) {
            memory.write(memory.copy(host, arena), to);
        }
    }

    /** The values by the names of the modules, in host memory. */
    Map<String, LoraFiles.Pair> get(DeviceMemory memory, TensorArena arena) {
        Tensor rows = memory.toHost(up);
        Map<String, LoraFiles.Pair> pairs = new LinkedHashMap<>();
        for (int m = 0; m < composition.modules().size(); m++) {
            LoraTargets.Module module = composition.modules().get(m);
            Tensor a = arena.allocate(DType.F32, rank, module.in());
            a.segment().copyFrom(memory.toHost(down.blocks().get(m).matrix()).segment());
            Tensor b = arena.allocate(DType.F32, module.out(), rank);
            for (int row = 0; row < composition.rowOf().length; row++) {
                if (composition.moduleOf()[row] == m) {
                    for (int r = 0; r < rank; r++) {
                        b.setFloat(
                                (long) composition.rowOf()[row] * rank + r,
                                rows.getFloat(row * up.columns() + (long) m * rank + r) / shares.get(m));
                    }
                }
            }
            pairs.put(module.name(), new LoraFiles.Pair(a, b));
        }
        return pairs;
    }

    /** Sets to zero what of {@code up}, or of its gradient, belongs to another module than its row. */
    void clearForeign(Tensor ofUp) {
        if (composition.modules().size() == 1) {
            return;
        }
        for (int row = 0; row < composition.rowOf().length; row++) {
            for (int m = 0; m < composition.modules().size(); m++) {
                if (composition.moduleOf()[row] != m) {
                    ofUp.rows(row, row + 1)
                            .reshape(up.columns())
                            .rows((long) m * rank, (long) (m + 1) * rank)
                            .clear();
                }
            }
        }
    }
}
