"""Pictures from files and cameras: every frame of the one, the newest of the other, and an end to both."""

import itertools
import threading
import time

import cv2
import numpy as np
import pytest

import gestures
from gestures import camera
from gestures.importing import find_videos
from gestures.video import Film


def write_video(path, frames=20, size=(64, 48), rate_hz=25.0):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), rate_hz, size)
    for n in range(frames):
        writer.write(np.full((size[1], size[0], 3), (10 * n % 250, 0, 200), np.uint8))
    writer.release()
    return path


def test_a_file_gives_every_frame_in_rgb_with_its_time(tmp_path):
    with gestures.Video(write_video(tmp_path / "a.mp4")) as video:
        frames = list(video)
    assert len(frames) == 20
    assert [f.time for f in frames] == pytest.approx(np.arange(20) / 25, abs=1e-3)
    assert frames[0].image.shape == (48, 64, 3)
    red, _, blue = frames[0].image.mean((0, 1))
    assert red > 150
    assert blue < 60


def test_a_file_repeats_bit_for_bit(tmp_path):
    path = write_video(tmp_path / "a.mp4")
    runs = []
    for _ in range(2):
        with gestures.Video(path) as video:
            runs.append([(f.time, f.image.tobytes()) for f in video])
    assert runs[0] == runs[1]


class FakeCapture:
    """A capture whose frames and times are given: what real files and cameras do wrong."""

    def __init__(self, shapes, stamps):
        self.shapes, self.stamps, self.n, self.released = shapes, stamps, -1, False

    def isOpened(self):  # noqa: N802
        return True

    def read(self):
        self.n += 1
        if self.n >= len(self.shapes):
            return False, None
        return True, np.zeros(self.shapes[self.n], np.uint8)

    def get(self, what):
        if what in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT):
            return self.shapes[0][0]
        return 25.0 if what == cv2.CAP_PROP_FPS else self.stamps[min(self.n, len(self.stamps) - 1)] * 1000

    def release(self):
        self.released = True


def open_fake(monkeypatch, tmp_path, shapes, stamps):
    (tmp_path / "x.mp4").touch()
    monkeypatch.setattr(cv2, "VideoCapture", lambda *_: FakeCapture(shapes, stamps))
    return gestures.Video(tmp_path / "x.mp4")


@pytest.mark.parametrize(
    "stamps", [[0, 0, 0, 0], [0, 0.04, 0.02, 0.03], [np.nan] * 4, [5, 4, 3, 2], [0, -1, 1, 1], [0, 1e6, 1, 2]]
)
def test_times_of_a_file_always_rise(monkeypatch, tmp_path, stamps):
    with open_fake(monkeypatch, tmp_path, [(4, 6, 3)] * 4, stamps) as video:
        times = [f.time for f in video]
    assert len(times) == 4
    assert (np.diff(times) > 0).all()
    assert times[-1] < 10, "a lie of 11 days was believed"
    assert video.faults.counts["time"] > 0


def test_a_frame_of_another_size_is_left_out_and_counted(monkeypatch, tmp_path):
    shapes = [(4, 6, 3), (8, 6, 3), (4, 6, 3), (6, 4, 3)]
    with open_fake(monkeypatch, tmp_path, shapes, [0, 0.1, 0.2, 0.3]) as video:
        frames = list(video)
        assert video.faults.counts["size"] == 2
    assert [f.image.shape for f in frames] == [(4, 6, 3)] * 2


def test_no_reader_but_ffmpeg_is_asked_for_a_file(monkeypatch, tmp_path):
    """What it refuses another might take for pictures of a numbered series, or for a film of its own."""
    path, asked, real = tmp_path / "a_00.mp4", [], cv2.VideoCapture
    path.write_bytes(b"this is text, not a video")
    monkeypatch.setattr(cv2, "VideoCapture", lambda *words: asked.append(words) or real(*words))
    with pytest.raises(gestures.CameraError, match="is not a video"):
        gestures.Video(path)
    assert asked == [(str(path), cv2.CAP_FFMPEG)]


def test_a_file_that_announces_gigantic_pictures_is_refused_before_one_is_decoded(monkeypatch, tmp_path):
    open_fake(monkeypatch, tmp_path, [(5792, 6, 3)], [0])  # as wide as high: 33.5 million pixels
    with pytest.raises(gestures.CameraError, match="is not a video"):
        open_fake(monkeypatch, tmp_path, [(5793, 6, 3)], [0])


def test_a_file_without_a_picture_is_no_empty_video(monkeypatch, tmp_path):
    with open_fake(monkeypatch, tmp_path, [(4, 6, 3)], [0]) as video:
        video._capture.n = 0  # what it announced does not come
        with pytest.raises(gestures.CameraError, match="holds no picture"):
            list(video)


@pytest.mark.parametrize("content", [b"", b"this is text, not a video\n" * 50])
def test_a_file_that_is_no_video_is_refused(tmp_path, content):
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(gestures.CameraError, match="is not a video"):
        gestures.Video(path)


def test_sources_are_told_apart(tmp_path):
    assert isinstance(gestures.open_source(str(write_video(tmp_path / "a.mp4"))), gestures.Video)
    assert isinstance(gestures.open_source("3"), gestures.Camera)
    assert isinstance(gestures.open_source("http://127.0.0.1:9/video"), gestures.Camera)
    with pytest.raises(gestures.CameraError, match="is not there"):
        gestures.open_source(str(tmp_path / "missing.mp4"))


def test_a_camera_that_is_not_there_is_refused():
    with pytest.raises(gestures.CameraError, match="camera 97 did not open"), gestures.Camera(97):
        pass


class Webcam:
    """A camera at 200 Hz that may stop for good after some frames."""

    opened = 0
    last = None

    def __init__(self, _device, good=10**9, comes_back=0):
        Webcam.opened += 1
        Webcam.last = self
        self.left, self.released = good if Webcam.opened == 1 or Webcam.opened > 1 + comes_back else 0, False
        self.count = 0

    def isOpened(self):  # noqa: N802
        return True

    def read(self):
        time.sleep(0.005)
        self.left -= 1
        self.count += 1
        return self.left >= 0, np.full((4, 6, 3), self.count % 255, np.uint8)

    def release(self):
        self.released = True


@pytest.fixture
def webcam(monkeypatch):
    monkeypatch.setattr(Webcam, "opened", 0)
    monkeypatch.setattr(camera, "FIRST_PAUSE_S", 0.01)

    def use(**what):
        monkeypatch.setattr(cv2, "VideoCapture", lambda device: Webcam(device, **what))

    return use


def test_a_slow_reader_gets_the_newest_frame_and_knows_what_it_missed(webcam):
    webcam()
    with gestures.Camera(0) as source:
        frames = []
        for frame in source:
            frames.append(frame)
            if len(frames) == 5:
                break
            time.sleep(0.05)
            assert source.waiting
            assert source.now() - frame.time >= 0.05
        assert source.dropped >= 20
    counts = [int(f.image[0, 0, 0]) for f in frames]
    assert min(np.diff(counts)) >= 5
    assert (np.diff([f.time for f in frames]) > 0).all()
    assert Webcam.last.released


def test_a_camera_that_stops_for_a_moment_is_reopened(webcam):
    webcam(good=10, comes_back=1)
    with gestures.Camera(0) as source:
        frames = []
        for frame in source:
            frames.append(frame)
            if source.faults.counts["back"]:
                break
    assert Webcam.opened >= 2
    assert frames


def test_a_camera_that_is_away_is_opened_less_and_less_often(monkeypatch):
    pauses = []

    class Stop:
        def wait(self, pause_s):
            pauses.append(pause_s)
            return len(pauses) == 9

    class Gone:
        def again(self):
            return None

    source = gestures.Camera(0)
    monkeypatch.setattr(source, "now", lambda: sum(pauses))
    source._stop = Stop()
    assert source._reopen(Gone()) is None
    assert pauses == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 8.0, 8.0, 8.0]


def test_a_camera_that_never_comes_back_is_told_to_the_reader(webcam):
    webcam(good=10, comes_back=10**9)
    with pytest.raises(gestures.CameraError, match="did not come back"), gestures.Camera(0, patience_s=0.1) as source:
        for _ in source:
            pass
    assert "camera" not in [thread.name for thread in threading.enumerate()]


def test_of_a_camera_that_has_gone_nobody_says_that_it_hangs(webcam):
    """`stale_s` is over with the first black picture."""
    webcam(good=10, comes_back=10**9)
    with gestures.Camera(0, stale_s=0.01) as source:
        black = (frame for frame in source if not frame.image.any())
        assert len(list(itertools.islice(black, 3))) == 3
    assert source.faults.counts == {"lost": 1}


def test_a_camera_that_hangs_again_is_told_again(monkeypatch):
    goes_on, count = [threading.Event(), threading.Event()], itertools.count()

    class Hanging(Webcam):
        def read(self):
            if (n := next(count)) in (5, 10):
                goes_on[n // 10].wait(30)
            return super().read()

    monkeypatch.setattr(cv2, "VideoCapture", Hanging)
    with gestures.Camera(0, stale_s=0.01) as source:
        for _ in itertools.islice(source, 40):
            told = source.faults.counts["stalled"]
            for hang in goes_on[:told]:
                hang.set()
            if told == 2:
                break
        for hang in goes_on:
            hang.set()
    assert source.faults.counts["stalled"] == 2


def test_a_picture_older_than_the_black_one_given_meanwhile_is_left_out(webcam, monkeypatch):
    """Its turning into RGB takes until a black picture has been given, which bears a later time."""
    webcam()
    black, turn, count = threading.Event(), camera.to_rgb, itertools.count()

    def slow(picture):
        if next(count) == 5:
            assert black.wait(30)
        return turn(picture)

    monkeypatch.setattr(camera, "to_rgb", slow)
    times = []
    with gestures.Camera(0) as source:
        for frame in source:
            times.append(frame.time)
            if black.is_set() and frame.image.any():
                break
            if not frame.image.any():
                black.set()
    assert black.is_set()
    assert (np.diff(times) > 0).all()


def test_a_camera_is_released_when_its_reader_raises(webcam):
    webcam()
    with pytest.raises(ZeroDivisionError), gestures.Camera(0) as source:
        for _ in source:
            raise ZeroDivisionError
    assert Webcam.last.released


def test_a_film_that_has_not_ended_is_not_there_yet(tmp_path):
    """Who is killed while filming leaves nothing behind that an import would take for a film."""
    folder = tmp_path / "wave"
    folder.mkdir()
    picture = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    with Film(folder, "ana") as film:
        for n in range(20):
            film.add(gestures.Frame(picture, n / Film.RATE_HZ))
        with pytest.raises(gestures.ClipError, match="holds no videos"):
            find_videos(tmp_path)
    assert find_videos(tmp_path) == [("wave", folder / "ana_00.mp4")]
    with gestures.Video(film.path) as video:
        assert len(list(video)) == 20
    assert len(list(folder.iterdir())) == 1


def test_a_film_goes_on_when_the_camera_changes_the_size_of_its_pictures(tmp_path):
    with Film(tmp_path, "ana") as film:
        for n in range(20):
            size = (48, 64) if n < 5 else (96, 128) if n < 12 else (30, 30)
            film.add(gestures.Frame(np.full((*size, 3), 10 * n, np.uint8), n / Film.RATE_HZ))
    with gestures.Video(film.path) as video:
        shades = [frame.image.mean() for frame in video]
    assert np.allclose(shades, 10 * np.arange(20), atol=8)
