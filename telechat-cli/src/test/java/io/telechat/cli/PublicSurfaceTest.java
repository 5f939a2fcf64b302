// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import io.telechat.core.backend.BackendChoice;
import io.telechat.core.backend.MachineLimits;
import io.telechat.core.backend.nd4j.ArrayView;
import io.telechat.core.comm.mpi.MpiTransport;
import io.telechat.core.lora.LoraConfig;
import io.telechat.core.lora.LoraSelection;
import io.telechat.core.ops.Rounding;
import io.telechat.core.weights.LoadProgress;
import io.telechat.infer.engine.Engine;
import io.telechat.infer.engine.EngineListener;
import io.telechat.infer.engine.EngineOptions;
import io.telechat.infer.engine.EngineStats;
import io.telechat.infer.engine.Goal;
import io.telechat.infer.engine.QueueFullException;
import io.telechat.infer.engine.Request;
import io.telechat.infer.engine.RowScore;
import io.telechat.infer.thinking.ThoughtMarks;
import io.telechat.train.Parallelism;
import io.telechat.train.RunEnd;
import io.telechat.train.StepReport;
import io.telechat.train.TrainConfig;
import io.telechat.train.TrainRun;
import io.telechat.train.TrainingListener;
import io.telechat.train.TuningMethod;
import io.telechat.train.optimizer.AdamW;
import io.telechat.train.optimizer.MomentType;
import io.telechat.train.zero.ZeroStage;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What other applications may build on: these packages and classes, and nothing that leads out of them. All else, public though
 * it is to the other modules, may change with every version.
 */
@AnalyzeClasses(
        packages = "io.telechat",
        importOptions = {ImportOption.DoNotIncludeTests.class, PublicSurfaceTest.WithoutJarsOfTests.class})
class PublicSurfaceTest {
    static final class WithoutJarsOfTests implements ImportOption {
        @Override
        public boolean includes(Location location) {
            return !location.contains("-tests.jar");
        }
    }

    private static final Set<String> PACKAGES = Set.of(
            "io.telechat.core",
            "io.telechat.core.chat",
            "io.telechat.core.comm",
            "io.telechat.core.tensor",
            "io.telechat.core.tokenizer",
            "io.telechat.infer",
            "io.telechat.infer.generation",
            "io.telechat.infer.grammar",
            "io.telechat.infer.sampling",
            "io.telechat.infer.tools",
            "io.telechat.train.data",
            "io.telechat.train.report");

    private static final Set<String> CLASSES = Stream.of(
                    ArrayView.class,
                    BackendChoice.class,
                    Engine.class,
                    Engine.Ticket.class,
                    EngineListener.class,
                    EngineOptions.class,
                    EngineStats.class,
                    Goal.class,
                    Goal.Embed.class,
                    Goal.Generate.class,
                    Goal.Score.class,
                    QueueFullException.class,
                    Request.class,
                    RowScore.class,
                    ThoughtMarks.class,
                    MachineLimits.class,
                    LoraConfig.class,
                    LoraSelection.class,
                    Rounding.class,
                    LoadProgress.class,
                    MpiTransport.class,
                    Parallelism.class,
                    ZeroStage.class,
                    RunEnd.class,
                    StepReport.class,
                    TrainConfig.class,
                    TrainConfig.Batching.class,
                    TrainConfig.Objective.class,
                    TrainConfig.Rate.class,
                    TrainConfig.Length.class,
                    TrainRun.class,
                    TrainingListener.class,
                    TuningMethod.class,
                    TuningMethod.Full.class,
                    TuningMethod.Lora.class,
                    AdamW.Settings.class,
                    MomentType.class)
            .map(Class::getName)
            .collect(Collectors.toUnmodifiableSet());

    private static boolean isExported(JavaClass type) {
        JavaClass element = type.getBaseComponentType();
        return !element.getPackageName().startsWith("io.telechat")
                || PACKAGES.contains(element.getPackageName())
                || CLASSES.contains(element.getName());
    }

    private static final DescribedPredicate<JavaClass> IS_EXPORTED = DescribedPredicate.describe(
            "are exported",
            type -> type.getPackageName().startsWith("io.telechat")
                    && type.getModifiers().contains(JavaModifier.PUBLIC)
                    && isExported(type));

    private static final ArchCondition<JavaClass> LEAD_TO_EXPORTED_ONES_ONLY =
            new ArchCondition<>("name exported classes only in what is public of them") {
                @Override
                public void check(JavaClass type, ConditionEvents events) {
                    type.getMembers().stream()
                            .filter(m -> m.getModifiers().contains(JavaModifier.PUBLIC)
                                    || m.getModifiers().contains(JavaModifier.PROTECTED))
                            .forEach(m -> named(m).filter(t -> !isExported(t))
                                    .forEach(t -> events.add(SimpleConditionEvent.violated(
                                            m, "%s names %s".formatted(m.getFullName(), t.getName())))));
                }
            };

    private static Stream<JavaClass> named(JavaMember member) {
        return switch (member) {
            case JavaField field -> field.getType().getAllInvolvedRawTypes().stream();
            case JavaCodeUnit method ->
                Stream.concat(
                        method.getReturnType().getAllInvolvedRawTypes().stream(),
                        method.getParameterTypes().stream().flatMap(p -> p.getAllInvolvedRawTypes().stream()));
            default -> Stream.empty();
        };
    }

    @ArchTest
    static final ArchRule whatIsExportedLeadsNowhereElse =
            classes().that(IS_EXPORTED).should(LEAD_TO_EXPORTED_ONES_ONLY);
}
