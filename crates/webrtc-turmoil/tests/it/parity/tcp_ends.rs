//! How a connection ends, and what each side learns of it.

use tokio::io::AsyncWriteExt as _;

use super::{
    Fault,
    place::{ok, read, word, word_or_waits, write},
    rows,
};

rows! {
    half_close: "shut the writing side down; the peer reads to the end and answers"
        => [Some("end; ok; `answer`"), Some("end; ok; `answer`"), Some("end; ok; `answer`")];
    server |place| {
        let (_listener, mut stream) = place.accepted().await;
        place.note(read(&mut *stream).await);
        place.note(write(&mut *stream, b"answer").await);
        place.turn(4).await;
    }
    client |place| {
        let mut stream = place.connect().await.unwrap();
        stream.shutdown().await.unwrap();
        place.turn(2).await;
        place.note(read(&mut *stream).await);
        place.turn(4).await;
    }

    write_after_shutdown: "write after shutting the writing side down"
        => [Some("broken pipe"), Some("broken pipe"), Some("broken pipe")];
    server |place| {
        let (_listener, _stream) = place.accepted().await;
        place.turn(3).await;
    }
    client |place| {
        let mut stream = place.connect().await.unwrap();
        stream.shutdown().await.unwrap();
        place.note(write(&mut *stream, b"x").await);
        place.turn(3).await;
    }

    shut_down_twice: "shut the writing side down twice"
        => [Some("ok"), Some("ok"), Some("not connected")];
    server |place| {
        let (_listener, _stream) = place.accepted().await;
        place.turn(3).await;
    }
    client |place| {
        let mut stream = place.connect().await.unwrap();
        stream.shutdown().await.unwrap();
        place.note(word(stream.shutdown().await, ok));
        place.turn(3).await;
    }

    written_then_closed: "write and close at once; the peer reads twice"
        => [Some("`last words`; end"), Some("`last words`; end"), Some("`last words`; end")];
    server |place| {
        let (_listener, mut stream) = place.accepted().await;
        place.turn(2).await;
        place.note(read(&mut *stream).await);
        place.note(read(&mut *stream).await);
    }
    client |place| {
        let mut stream = place.connect().await.unwrap();
        assert_eq!(write(&mut *stream, b"last words").await, "ok");
        drop(stream);
        place.turn(3).await;
    }

    end_again: "read after the end"
        => [Some("end; end"), Some("end; end"), Some("end; end")];
    server |place| {
        let listener = place.listen().await;
        drop(listener.accept().await.unwrap());
        place.turn(3).await;
    }
    client |place| {
        let mut stream = place.connect().await.unwrap();
        place.note(read(&mut *stream).await);
        place.note(read(&mut *stream).await);
    }

    unread_at_close: "close with data unread; the peer reads"
        => [Some("reset"), Some("reset"), Some("reset")];
    server |place| {
        let (_listener, stream) = place.accepted().await;
        place.turn(2).await;
        drop(stream);
        place.turn(4).await;
    }
    client |place| {
        let mut stream = place.connect().await.unwrap();
        assert_eq!(write(&mut *stream, b"for nobody").await, "ok");
        place.turn(3).await;
        place.note(read(&mut *stream).await);
    }

    read_after_reset: "read what had arrived before a reset"
        => [Some("`early`"), Some("reset"), Some("`early`")];
    server |place| {
        let (_listener, mut stream) = place.accepted().await;
        assert_eq!(write(&mut *stream, b"early").await, "ok");
        place.turn(2).await;
        drop(stream);
        place.turn(4).await;
    }
    client |place| {
        let mut stream = place.connect().await.unwrap();
        assert_eq!(write(&mut *stream, b"for nobody").await, "ok");
        place.turn(3).await;
        place.note(read(&mut *stream).await);
    }

    write_to_closed: "write three times, a second apart, to a peer that has closed"
        => [Some("ok; broken pipe; broken pipe"), Some("ok; reset; reset"), Some("ok; broken pipe; broken pipe")];
    server |place| {
        let listener = place.listen().await;
        drop(listener.accept().await.unwrap());
        place.turn(6).await;
    }
    client |place| {
        let mut stream = place.connect().await.unwrap();
        for turn in 2..5 {
            place.turn(turn).await;
            place.note(write(&mut *stream, b"x").await);
        }
    }

    power_loss_idle: "the server loses its power; the client reads for 60 s"
        => [None, Some("waits"), Some("end")],
        faults [(2, Fault::PowerLoss)];
    server |place| {
        let listener = place.listen().await;
        let _stream = listener.accept().await;
        std::future::pending::<()>().await;
    }
    client |place| {
        let mut stream = place.connect().await.unwrap();
        let read = place.before(62, read(&mut *stream)).await;
        place.note(read.unwrap_or_else(|| "waits".to_owned()));
    }

    power_loss_write: "the server loses its power; the client writes, and reads until something comes"
        => [None, Some("ok; timed out"), Some("ok; end")],
        faults [(2, Fault::PowerLoss)];
    server |place| {
        let listener = place.listen().await;
        let _stream = listener.accept().await;
        std::future::pending::<()>().await;
    }
    client |place| {
        let mut stream = place.connect().await.unwrap();
        place.turn(3).await;
        place.note(write(&mut *stream, b"x").await);
        place.note(read(&mut *stream).await);
    }

    power_loss_connect: "connect to a server without power"
        => [None, Some("timed out"), Some("waits")],
        faults [(1, Fault::PowerLoss)];
    server |place| {
        let _listener = place.listen().await;
        std::future::pending::<()>().await;
    }
    client |place| {
        place.turn(2).await;
        place.note(word_or_waits(place.before(150, place.connect()).await, ok));
    }
}
