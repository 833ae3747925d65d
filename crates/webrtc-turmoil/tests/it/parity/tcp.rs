//! Connecting, listening, carrying bytes.

use super::{
    Fault,
    place::{ok, read, word, word_or_waits, write},
    rows,
};

rows! {
    refused: "connect to a port at which nobody listens"
        => [Some("refused"), Some("refused"), Some("refused")];
    server |place| {
        // It was free a moment ago.
        drop(place.listen().await);
    }
    client |place| {
        place.note(word(place.connect().await, ok));
    }

    nobody_there: "connect to an address that nobody has"
        => [None, Some("timed out"), Some("refused")];
    server |_place| {}
    client |place| {
        let nobody = "10.9.9.9:80".parse().unwrap();
        place.note(word(place.sockets.connect(nobody).await, ok));
    }

    connect_before_accept: "connect to a listener that does not accept yet"
        => [Some("ok"), Some("ok"), Some("waits")];
    server |place| {
        let _listener = place.listen().await;
        place.turn(4).await;
    }
    client |place| {
        let attempt = place.before(3, place.connect()).await;
        place.note(word_or_waits(attempt, ok));
    }

    listener_dropped: "the listener is dropped while a connection waits to be accepted; then the client reads"
        => [Some("reset"), Some("reset"), Some("refused")];
    server |place| {
        let listener = place.listen().await;
        place.turn(2).await;
        drop(listener);
    }
    client |place| {
        match place.connect().await {
            Ok(mut stream) => {
                place.turn(3).await;
                place.note(read(&mut *stream).await);
            }
            refused => place.note(word(refused, ok)),
        }
    }

    connect_given_up: "an attempt to connect is given up at once; accept"
        => [Some("accepts, and reads end"), Some("waits"), Some("waits")];
    server |place| {
        let listener = place.listen().await;
        place.turn(2).await;
        match place.before(3, listener.accept()).await {
            Some(accepted) => {
                let said = read(&mut *accepted.unwrap()).await;
                place.note(format!("accepts, and reads {said}"));
            }
            None => place.note("waits"),
        }
    }
    client |place| {
        {
            place.turn(1).await;
            let to = place.target();
            let mut attempt = std::pin::pin!(place.sockets.connect(to));
            assert!(futures::poll!(attempt.as_mut()).is_pending());
        }
        place.turn(4).await;
    }

    listen_twice: "listen at a port at which somebody listens"
        => [Some("address in use"), Some("address in use"), Some("address in use")];
    server |place| {
        let _listener = place.listen().await;
        let again = place.sockets.listen(place.at(place.published())).await;
        place.note(word(again, ok));
    }
    client |place| { place.turn(1).await; }

    rebind_after_close: "listen again after the listener and its connection are closed"
        => [Some("ok"), Some("ok"), Some("ok")];
    server |place| {
        let listener = place.listen().await;
        drop(listener.accept().await.unwrap());
        drop(listener);
        place.turn(3).await;
        let again = place.sockets.listen(place.at(place.published())).await;
        place.note(word(again, ok));
    }
    client |place| {
        let mut stream = place.connect().await.unwrap();
        assert_eq!(read(&mut *stream).await, "end");
        drop(stream);
        place.turn(4).await;
    }

    rebind_with_connection: "listen again while a connection of the listener before is open"
        => [Some("ok"), Some("address in use"), Some("ok")];
    server |place| {
        let listener = place.listen().await;
        let _stream = listener.accept().await.unwrap();
        drop(listener);
        let again = place.sockets.listen(place.at(place.published())).await;
        place.note(word(again, ok));
        place.turn(3).await;
    }
    client |place| {
        let _stream = place.connect().await.unwrap();
        place.turn(3).await;
    }

    backpressure: "write 16 MiB in pieces of 64 KiB to a peer that does not read"
        => [Some("waits"), Some("ok"), Some("waits")];
    server |place| {
        let (_listener, _stream) = place.accepted().await;
        place.turn(31).await;
    }
    client |place| {
        let mut stream = place.connect().await.unwrap();
        let writing = async {
            for _ in 0..256 {
                tokio::io::AsyncWriteExt::write_all(&mut stream, &[7; 64 << 10]).await?;
            }
            Ok(())
        };
        place.note(word_or_waits(place.before(30, writing).await, ok));
        place.turn(31).await;
    }

    many_small_writes: "write 1,000 times one byte to a peer that does not read"
        => [Some("ok"), Some("ok"), Some("waits")];
    server |place| {
        let (_listener, _stream) = place.accepted().await;
        place.turn(3).await;
    }
    client |place| {
        let mut stream = place.connect().await.unwrap();
        let writing = async {
            for _ in 0..1000 {
                tokio::io::AsyncWriteExt::write_all(&mut stream, b"x").await?;
            }
            Ok(())
        };
        place.note(word_or_waits(place.before(2, writing).await, ok));
        place.turn(3).await;
    }

    read_frees_the_writer: "a writer that waits, and then closes, goes on once the peer reads"
        => [Some("16 MiB; end"), Some("16 MiB; end"), Some("16 MiB; waits")];
    server |place| {
        let (_listener, mut stream) = place.accepted().await;
        place.turn(2).await;
        let (mut arrived, mut buffer) = (0, vec![0; 64 << 10]);
        let end = loop {
            match place.before(60, tokio::io::AsyncReadExt::read(&mut stream, &mut buffer)).await {
                Some(Ok(0)) => break "end",
                Some(len) => arrived += len.unwrap(),
                None => break "waits",
            }
        };
        place.note(format!("{} MiB; {end}", arrived >> 20));
    }
    client |place| {
        let mut stream = place.connect().await.unwrap();
        for _ in 0..256 {
            assert_eq!(write(&mut *stream, &[7; 64 << 10]).await, "ok");
        }
        drop(stream);
        place.turn(61).await;
    }

    cut_and_mended: "3 s during which nothing gets through, and a write in them; read 60 s later"
        => [None, Some("`x`"), Some("waits")],
        faults [(2, Fault::Cut), (5, Fault::Mend)];
    server |place| {
        let (_listener, mut stream) = place.accepted().await;
        let read = place.before(65, read(&mut *stream)).await;
        place.note(read.unwrap_or_else(|| "waits".to_owned()));
        place.turn(67).await;
    }
    client |place| {
        let mut stream = place.connect().await.unwrap();
        place.turn(3).await;
        assert_eq!(write(&mut *stream, b"x").await, "ok");
        place.turn(66).await;
    }
}
