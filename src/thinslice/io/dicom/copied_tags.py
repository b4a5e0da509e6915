"""Tags that a derived series copies from its source: patient, time, scanner, exposure.

A list of tags by the modules of the standard (PS3.3), and nothing besides: no private tags, none
that speak of one slice (content times, positions, dose of a slice), none that speak of the stored
numbers. A tag on the list is kept where every slice of the source says the same. Patient and study
are kept as they are, empty or de-identified or not: nothing is added to them and nothing more
taken out.
"""

from collections.abc import Sequence
from pathlib import Path

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.valuerep import PersonName, format_number_as_ds

from thinslice.io.dicom.headers import UNREADABLE
from thinslice.io.dicom.kinds import LOSSY_METHODS
from thinslice.io.dicom.opened import elements, opened, syntax_of, without_remarks

PATIENT = """
    PatientName PatientID IssuerOfPatientID TypeOfPatientID PatientBirthDate PatientBirthTime
    PatientSex OtherPatientIDsSequence OtherPatientNames EthnicGroup PatientComments
    PatientSpeciesDescription PatientSpeciesCodeSequence PatientBreedDescription
    PatientBreedCodeSequence BreedRegistrationSequence ResponsiblePerson ResponsiblePersonRole
    ResponsibleOrganization QualityControlSubject PatientIdentityRemoved DeidentificationMethod
    DeidentificationMethodCodeSequence PatientAge PatientSize PatientWeight PatientSexNeutered
"""
STUDY = """
    StudyInstanceUID StudyDate StudyTime ReferringPhysicianName StudyID AccessionNumber
    IssuerOfAccessionNumberSequence StudyDescription ProcedureCodeSequence
    LongitudinalTemporalInformationModified
"""
SERIES = """
    Laterality ProtocolName BodyPartExamined PatientPosition AnatomicalOrientationType
    PatientOrientationCodeSequence FrameOfReferenceUID PositionReferenceIndicator
"""
EQUIPMENT = """
    Manufacturer InstitutionName InstitutionAddress InstitutionalDepartmentName StationName
    ManufacturerModelName DeviceSerialNumber SoftwareVersions
"""
IMAGE = """
    SpecificCharacterSet TimezoneOffsetFromUTC AcquisitionDate AcquisitionTime AcquisitionDateTime
    AcquisitionNumber BurnedInAnnotation RecognizableVisualFeatures LossyImageCompression
    LossyImageCompressionRatio LossyImageCompressionMethod WindowCenter WindowWidth
    WindowCenterWidthExplanation VOILUTFunction ContrastBolusAgent ContrastBolusRoute
    ContrastBolusVolume
"""
CT = """
    KVP ScanOptions DataCollectionDiameter ReconstructionDiameter DistanceSourceToDetector
    DistanceSourceToPatient TableHeight RotationDirection ExposureTime XRayTubeCurrent Exposure
    FilterType GeneratorPower FocalSpots ConvolutionKernel RevolutionTime SingleCollimationWidth
    TotalCollimationWidth TableSpeed TableFeedPerRotation SpiralPitchFactor ExposureModulationType
    CTDIvol CTDIPhantomTypeCodeSequence
"""
MR = """
    ScanningSequence SequenceVariant ScanOptions MRAcquisitionType SequenceName AngioFlag
    RepetitionTime EchoTime InversionTime NumberOfAverages ImagingFrequency ImagedNucleus
    EchoNumbers MagneticFieldStrength NumberOfPhaseEncodingSteps EchoTrainLength PercentSampling
    PercentPhaseFieldOfView PixelBandwidth ReceiveCoilName TransmitCoilName
    InPlanePhaseEncodingDirection FlipAngle VariableFlipAngleFlag ReconstructionDiameter
"""
KEPT = {
    "CT": " ".join((PATIENT, STUDY, SERIES, EQUIPMENT, IMAGE, CT)).split(),
    "MR": " ".join((PATIENT, STUDY, SERIES, EQUIPMENT, IMAGE, MR)).split(),
}
READ = """
    SOPClassUID SOPInstanceUID SeriesInstanceUID SeriesNumber InstanceNumber ImageType Modality
    ImagePositionPatient ImageOrientationPatient RescaleSlope RescaleIntercept
    SharedFunctionalGroupsSequence PerFrameFunctionalGroupsSequence
""".split()
UTF_8 = "ISO_IR 192"


def headers(files: Sequence[Path], modality: str) -> list[FileDataset]:
    """Headers of the files; pixels and private tags are never read."""
    wanted, out = [*KEPT[modality], *READ], []
    for path in files:
        with opened(path) as file, without_remarks():
            out.append(elements(file, stop_before_pixels=True, specific_tags=list(wanted)))
    return out


def copied(sources: Sequence[FileDataset], modality: str) -> Dataset:
    """The tags on the list that every source says, and says alike; none of no source.

    Text is in the sources' character set; where they name several, in UTF-8.
    """
    out = Dataset()
    with without_remarks():
        for keyword in KEPT[modality] if sources else []:
            first, *others = (_said(data, keyword) for data in sources)
            if first is not None and all(o is not None and o.value == first.value for o in others):
                out[keyword] = first
        _one_character_set(out, sources)
        _lossy(out, sources)
        out.remove_private_tags()  # those inside sequences
    return out


def _one_character_set(out: Dataset, sources: Sequence[FileDataset]) -> None:
    """Write text as UTF-8 where the sources name different character sets."""
    sets = {str(data.get("SpecificCharacterSet", "")) for data in sources}
    if len(sets) < 2:
        return
    for element in out.iterall():
        if element.VR == "PN" and element.value:
            names = element.value if element.VM > 1 else [element.value]
            decoded = [PersonName(str(name)) for name in names]
            element.value = decoded if element.VM > 1 else decoded[0]
        if element.keyword == "SpecificCharacterSet":
            element.value = UTF_8
    out.SpecificCharacterSet = UTF_8


def _lossy(out: Dataset, sources: Sequence[FileDataset]) -> None:
    """One lossy slice makes the result lossy: by the highest ratio, and every method."""
    syntaxes = {str(syntax_of(data)) for data in sources}
    methods = {LOSSY_METHODS[syntax] for syntax in syntaxes if syntax in LOSSY_METHODS}
    stated = [data for data in sources if str(data.get("LossyImageCompression", "")) == "01"]
    if not stated and not methods:
        return
    out.LossyImageCompression = "01"
    ratios = [_last(data, "LossyImageCompressionRatio") for data in stated]
    methods |= {str(m) for data in stated if (m := _last(data, "LossyImageCompressionMethod"))}
    known = [float(ratio) for ratio in ratios if ratio]
    if known:
        out.LossyImageCompressionRatio = [format_number_as_ds(max(known))]
    if methods:
        out.LossyImageCompressionMethod = sorted(methods)[:1]


def _last(data: Dataset, keyword: str) -> str | None:
    """The last value of a list of steps; None where there is none or no valid one."""
    element = _said(data, keyword)
    if element is None or not element.VM:
        return None
    return str(element.value[-1] if element.VM > 1 else element.value)


def _said(data: Dataset, keyword: str) -> DataElement | None:
    """None also for what breaks the rules of its type: it cannot be written again."""
    try:
        return data[keyword]
    except UNREADABLE:
        return None
