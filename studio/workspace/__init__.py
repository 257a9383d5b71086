"""The one object that the window and the command line talk to."""

from typing import TYPE_CHECKING

from studio.lazy_names import lazy_names

if TYPE_CHECKING:
    from studio.conversion.chips.overview import chip_lines, missing_toolchains
    from studio.conversion.offer import Conversion, Export, conversion_of, exports, licence_sentence
    from studio.conversion.results import ConversionResult
    from studio.evaluation.sample_texts import in_words as answer_words
    from studio.jobs import Containment, JobOutcome, RunningJob, Step
    from studio.models.families import TITLES as FAMILY_TITLES
    from studio.models.families import family as operator_family
    from studio.models.kinds import entry_file
    from studio.models.labels.dimensions import (
        readable_shape,
        readable_type,
        short_shape,
        short_type,
    )
    from studio.models.labels.node_rows import (
        HEADER_HEIGHT,
        ROW_HEIGHT,
        ROWS_INSET,
        NodeRow,
        node_rows,
    )
    from studio.models.layout import Frame as Frame
    from studio.models.outputs.words import HEADS_OF as OUTPUT_HEADS
    from studio.models.outputs.words import KEYS as OUTPUT_KEYS
    from studio.models.outputs.words import TITLES as OUTPUT_TITLES
    from studio.models.search import SearchResult, search_model
    from studio.models.source_formats import is_model_folder, models_in, source_format
    from studio.models.step import DRAWN, PREVIEW
    from studio.models.surgery.edits import write as edit_text
    from studio.packages.app_slot import is_app
    from studio.plugin_host import Plugin
    from studio.plugin_host.environments import Environment
    from studio.profiling.history import (
        ProfileComparison,
        ProfileDocument,
        ProfileLine,
        RowComparison,
    )
    from studio.profiling.history import compare as compare_profiles
    from studio.profiling.history import line as profile_line
    from studio.projects.draft import PreprocessDraft as PreprocessDraft
    from studio.quantization.presets import PresetEntry
    from studio.quantization.size_estimate import SizeEstimate
    from studio.registry import (
        ActionRecord,
        Registry,
        ReleaseRecord,
        RunRecord,
        VariantRecord,
        VersionRecord,
    )
    from studio.workspace.endpoint_state import (
        EndpointState,
        EndpointStates,
        EndpointStatus,
        endpoint_of,
    )
    from studio.workspace.events import (
        EndpointChanged,
        Event,
        Events,
        JobFinished,
        JobMessage,
        JobProgressed,
        JobStarted,
        NodeAsked,
        NodeTimeAsked,
        PresetAsked,
        RegistryChanged,
        RunChanged,
        StageRead,
    )
    from studio.workspace.graph_view import (
        GraphView,
        alike_text,
        block_text,
        is_folded_block,
        nodes_within,
        read_numbers,
        read_preview,
    )
    from studio.workspace.job_history import JobEntry, is_listed, is_watch
    from studio.workspace.presets import CheckedPreset, Presets
    from studio.workspace.presets import allowed as allowed_values
    from studio.workspace.project_runs import RunEnd, endpoint_name, run_end
    from studio.workspace.results import Recorded, Results
    from studio.workspace.run_info import RunInfo
    from studio.workspace.runs import RunningPipeline, RunRequest
    from studio.workspace.samples import SampleInfo
    from studio.workspace.workspace import Workspace

_MODULES = {
    "studio.conversion.chips.overview": "chip_lines missing_toolchains",
    "studio.conversion.offer": "Conversion Export conversion_of exports licence_sentence",
    "studio.conversion.results": "ConversionResult",
    "studio.evaluation.sample_texts": "in_words:answer_words",
    "studio.jobs": "Containment JobOutcome RunningJob Step",
    "studio.models.families": "TITLES:FAMILY_TITLES family:operator_family",
    "studio.models.labels.dimensions": "readable_shape readable_type short_shape short_type",
    "studio.models.labels.node_rows": "HEADER_HEIGHT ROW_HEIGHT ROWS_INSET NodeRow node_rows",
    "studio.models.kinds": "entry_file",
    "studio.models.layout": "Frame",
    "studio.models.outputs.words": "HEADS_OF:OUTPUT_HEADS KEYS:OUTPUT_KEYS TITLES:OUTPUT_TITLES",
    "studio.models.search": "SearchResult search_model",
    "studio.models.source_formats": "is_model_folder models_in source_format",
    "studio.models.step": "DRAWN PREVIEW",
    "studio.models.surgery.edits": "write:edit_text",
    "studio.packages.app_slot": "is_app",
    "studio.plugin_host": "Plugin",
    "studio.plugin_host.environments": "Environment",
    "studio.profiling.history": "ProfileComparison ProfileDocument ProfileLine RowComparison "
    "compare:compare_profiles line:profile_line",
    "studio.projects.draft": "PreprocessDraft",
    "studio.quantization.presets": "PresetEntry",
    "studio.quantization.size_estimate": "SizeEstimate",
    "studio.registry": "ActionRecord Registry ReleaseRecord RunRecord VariantRecord VersionRecord",
    "studio.workspace.endpoint_state": "EndpointState EndpointStates EndpointStatus endpoint_of",
    "studio.workspace.events": "EndpointChanged Event Events "
    "JobFinished JobMessage JobProgressed JobStarted NodeAsked NodeTimeAsked PresetAsked "
    "RegistryChanged RunChanged StageRead",
    "studio.workspace.graph_view": "GraphView alike_text block_text "
    "is_folded_block nodes_within read_numbers read_preview",
    "studio.workspace.job_history": "JobEntry is_listed is_watch",
    "studio.workspace.presets": "CheckedPreset Presets allowed:allowed_values",
    "studio.workspace.project_runs": "RunEnd endpoint_name run_end",
    "studio.workspace.results": "Recorded Results",
    "studio.workspace.run_info": "RunInfo",
    "studio.workspace.runs": "RunningPipeline RunRequest",
    "studio.workspace.samples": "SampleInfo",
    "studio.workspace.workspace": "Workspace",
}
"""The names of each module, ``name:alias`` under another name, imported at their first use."""

__getattr__ = lazy_names(
    __name__,
    {
        name.rpartition(":")[2]: f"{module}:{name.partition(':')[0]}"
        for module, names in _MODULES.items()
        for name in names.split()
    },
)
